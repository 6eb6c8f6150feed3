// Original file: proto/federation.proto


export interface Renounce {
  'roundId'?: (Buffer | Uint8Array | string);
}

export interface Renounce__Output {
  'roundId': (Buffer);
}
