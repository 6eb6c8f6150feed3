// Original file: proto/federation.proto


export interface Released {
  'roundId'?: (Buffer | Uint8Array | string);
  'sum'?: (Buffer | Uint8Array | string);
  'aggregate'?: (Buffer | Uint8Array | string);
  'digest'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Released__Output {
  'roundId': (Buffer);
  'sum': (Buffer);
  'aggregate': (Buffer);
  'digest': (Buffer);
  'signature': (Buffer);
}
