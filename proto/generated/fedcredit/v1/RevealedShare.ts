// Original file: proto/federation.proto


export interface RevealedShare {
  'party'?: (string);
  'share'?: (Buffer | Uint8Array | string);
}

export interface RevealedShare__Output {
  'party': (string);
  'share': (Buffer);
}
