// Original file: proto/federation.proto


export interface OpenedNonce {
  'party'?: (string);
  'nonce'?: (Buffer | Uint8Array | string);
}

export interface OpenedNonce__Output {
  'party': (string);
  'nonce': (Buffer);
}
