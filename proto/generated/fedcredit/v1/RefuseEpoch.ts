// Original file: proto/federation.proto


export interface RefuseEpoch {
  'opening'?: (Buffer | Uint8Array | string);
  'reason'?: (string);
  'party'?: (string);
  'detail'?: (string);
}

export interface RefuseEpoch__Output {
  'opening': (Buffer);
  'reason': (string);
  'party': (string);
  'detail': (string);
}
