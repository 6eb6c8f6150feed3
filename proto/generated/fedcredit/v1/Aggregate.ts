// Original file: proto/federation.proto


export interface Aggregate {
  'roundId'?: (Buffer | Uint8Array | string);
  'chunks'?: (Buffer | Uint8Array | string)[];
  'first'?: (boolean);
}

export interface Aggregate__Output {
  'roundId': (Buffer);
  'chunks': (Buffer)[];
  'first': (boolean);
}
