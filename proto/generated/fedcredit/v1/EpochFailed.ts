// Original file: proto/federation.proto


export interface EpochFailed {
  'opening'?: (Buffer | Uint8Array | string);
  'reason'?: (string);
  'party'?: (string);
  'evidence'?: (Buffer | Uint8Array | string);
}

export interface EpochFailed__Output {
  'opening': (Buffer);
  'reason': (string);
  'party': (string);
  'evidence': (Buffer);
}
