// Original file: proto/federation.proto


export interface Closed {
  'roundId'?: (Buffer | Uint8Array | string);
  'outcome'?: (string);
  'reason'?: (string);
  'party'?: (string);
  'certificate'?: (Buffer | Uint8Array | string);
}

export interface Closed__Output {
  'roundId': (Buffer);
  'outcome': (string);
  'reason': (string);
  'party': (string);
  'certificate': (Buffer);
}
