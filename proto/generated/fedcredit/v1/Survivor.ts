// Original file: proto/federation.proto


export interface Survivor {
  'party'?: (string);
  'digest'?: (Buffer | Uint8Array | string);
  'commitment'?: (Buffer | Uint8Array | string);
  'noiseCommitment'?: (Buffer | Uint8Array | string);
}

export interface Survivor__Output {
  'party': (string);
  'digest': (Buffer);
  'commitment': (Buffer);
  'noiseCommitment': (Buffer);
}
