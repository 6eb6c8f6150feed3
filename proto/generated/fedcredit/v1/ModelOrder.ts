// Original file: proto/federation.proto


export interface ModelOrder {
  'study'?: (Buffer | Uint8Array | string);
  'result'?: (string);
  'order'?: (string);
  'reason'?: (string);
}

export interface ModelOrder__Output {
  'study': (Buffer);
  'result': (string);
  'order': (string);
  'reason': (string);
}
