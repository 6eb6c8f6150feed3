// Original file: proto/federation.proto


export interface RevealedSeed {
  'party'?: (string);
  'seed'?: (Buffer | Uint8Array | string);
}

export interface RevealedSeed__Output {
  'party': (string);
  'seed': (Buffer);
}
