// Original file: proto/federation.proto


export interface SealedKey {
  'party'?: (string);
  'encapsulated'?: (Buffer | Uint8Array | string);
  'ciphertext'?: (Buffer | Uint8Array | string);
}

export interface SealedKey__Output {
  'party': (string);
  'encapsulated': (Buffer);
  'ciphertext': (Buffer);
}
