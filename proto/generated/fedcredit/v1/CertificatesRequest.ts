// Original file: proto/federation.proto


export interface CertificatesRequest {
  'study'?: (Buffer | Uint8Array | string);
  'after'?: (number);
}

export interface CertificatesRequest__Output {
  'study': (Buffer);
  'after': (number);
}
