// Original file: proto/federation.proto


export interface Advertise {
  'roundId'?: (Buffer | Uint8Array | string);
  'maskKey'?: (Buffer | Uint8Array | string);
  'shareKey'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Advertise__Output {
  'roundId': (Buffer);
  'maskKey': (Buffer);
  'shareKey': (Buffer);
  'signature': (Buffer);
}
