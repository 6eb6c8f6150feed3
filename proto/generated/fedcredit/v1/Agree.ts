// Original file: proto/federation.proto


export interface Agree {
  'roundId'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Agree__Output {
  'roundId': (Buffer);
  'signature': (Buffer);
}
