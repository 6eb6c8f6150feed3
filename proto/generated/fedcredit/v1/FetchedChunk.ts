// Original file: proto/federation.proto


export interface FetchedChunk {
  'data'?: (Buffer | Uint8Array | string);
  'last'?: (boolean);
}

export interface FetchedChunk__Output {
  'data': (Buffer);
  'last': (boolean);
}
