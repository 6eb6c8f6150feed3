// Original file: proto/federation.proto


export interface Renounced {
  'roundId'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Renounced__Output {
  'roundId': (Buffer);
  'signature': (Buffer);
}
