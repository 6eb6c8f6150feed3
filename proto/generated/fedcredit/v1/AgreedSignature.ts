// Original file: proto/federation.proto


export interface AgreedSignature {
  'party'?: (string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface AgreedSignature__Output {
  'party': (string);
  'signature': (Buffer);
}
