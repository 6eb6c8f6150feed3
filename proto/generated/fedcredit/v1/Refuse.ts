// Original file: proto/federation.proto


export interface Refuse {
  'roundId'?: (Buffer | Uint8Array | string);
  'reason'?: (string);
  'party'?: (string);
  'detail'?: (string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Refuse__Output {
  'roundId': (Buffer);
  'reason': (string);
  'party': (string);
  'detail': (string);
  'signature': (Buffer);
}
