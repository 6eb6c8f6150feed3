// Original file: proto/federation.proto


export interface SealedKey {
  'party'?: (string);
  'ephemeral'?: (Buffer | Uint8Array | string);
  'ciphertext'?: (Buffer | Uint8Array | string);
}

export interface SealedKey__Output {
  'party': (string);
  'ephemeral': (Buffer);
  'ciphertext': (Buffer);
}
