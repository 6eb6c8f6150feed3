// Original file: proto/federation.proto


export interface Model {
  'canonicalJson'?: (Buffer | Uint8Array | string);
  'digest'?: (Buffer | Uint8Array | string);
  'inUse'?: (string);
  'grades'?: (string);
}

export interface Model__Output {
  'canonicalJson': (Buffer);
  'digest': (Buffer);
  'inUse': (string);
  'grades': (string);
}
