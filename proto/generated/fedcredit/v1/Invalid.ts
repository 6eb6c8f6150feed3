// Original file: proto/federation.proto


export interface Invalid {
  'roundId'?: (Buffer | Uint8Array | string);
  'aggregate'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Invalid__Output {
  'roundId': (Buffer);
  'aggregate': (Buffer);
  'signature': (Buffer);
}
