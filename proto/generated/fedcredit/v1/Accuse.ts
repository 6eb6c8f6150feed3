// Original file: proto/federation.proto


export interface Accuse {
  'opening'?: (Buffer | Uint8Array | string);
  'by'?: (string);
  'kind'?: (string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Accuse__Output {
  'opening': (Buffer);
  'by': (string);
  'kind': (string);
  'signature': (Buffer);
}
