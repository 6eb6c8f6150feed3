// Original file: proto/federation.proto


export interface SealedShares {
  'party'?: (string);
  'ephemeral'?: (Buffer | Uint8Array | string);
  'ciphertext'?: (Buffer | Uint8Array | string);
  'hashes'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface SealedShares__Output {
  'party': (string);
  'ephemeral': (Buffer);
  'ciphertext': (Buffer);
  'hashes': (Buffer);
  'signature': (Buffer);
}
