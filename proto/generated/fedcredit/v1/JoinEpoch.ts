// Original file: proto/federation.proto


export interface JoinEpoch {
  'opening'?: (Buffer | Uint8Array | string);
  'nonceCommitment'?: (Buffer | Uint8Array | string);
  'maskKeys'?: (Buffer | Uint8Array | string);
  'shareKey'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface JoinEpoch__Output {
  'opening': (Buffer);
  'nonceCommitment': (Buffer);
  'maskKeys': (Buffer);
  'shareKey': (Buffer);
  'signature': (Buffer);
}
