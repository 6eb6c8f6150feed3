// Original file: proto/federation.proto


export interface Submit {
  'roundId'?: (Buffer | Uint8Array | string);
  'chunks'?: (Buffer | Uint8Array | string)[];
  'digest'?: (Buffer | Uint8Array | string);
  'commitment'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
  'noiseCommitment'?: (Buffer | Uint8Array | string);
}

export interface Submit__Output {
  'roundId': (Buffer);
  'chunks': (Buffer)[];
  'digest': (Buffer);
  'commitment': (Buffer);
  'signature': (Buffer);
  'noiseCommitment': (Buffer);
}
