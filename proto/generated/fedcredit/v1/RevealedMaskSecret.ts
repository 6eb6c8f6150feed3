// Original file: proto/federation.proto


export interface RevealedMaskSecret {
  'party'?: (string);
  'maskSecret'?: (Buffer | Uint8Array | string);
}

export interface RevealedMaskSecret__Output {
  'party': (string);
  'maskSecret': (Buffer);
}
