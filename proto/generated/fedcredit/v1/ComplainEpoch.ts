// Original file: proto/federation.proto


export interface ComplainEpoch {
  'opening'?: (Buffer | Uint8Array | string);
  'about'?: (string);
  'kind'?: (string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface ComplainEpoch__Output {
  'opening': (Buffer);
  'about': (string);
  'kind': (string);
  'signature': (Buffer);
}
