// Original file: proto/federation.proto


export interface Manifest {
  'canonicalJson'?: (Buffer | Uint8Array | string);
}

export interface Manifest__Output {
  'canonicalJson': (Buffer);
}
