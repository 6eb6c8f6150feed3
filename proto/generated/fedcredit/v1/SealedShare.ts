// Original file: proto/federation.proto


export interface SealedShare {
  'party'?: (string);
  'ciphertext'?: (Buffer | Uint8Array | string);
}

export interface SealedShare__Output {
  'party': (string);
  'ciphertext': (Buffer);
}
