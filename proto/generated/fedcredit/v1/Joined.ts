// Original file: proto/federation.proto


export interface Joined {
  'party'?: (string);
  'nonceCommitment'?: (Buffer | Uint8Array | string);
  'maskKeys'?: (Buffer | Uint8Array | string);
  'shareKey'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Joined__Output {
  'party': (string);
  'nonceCommitment': (Buffer);
  'maskKeys': (Buffer);
  'shareKey': (Buffer);
  'signature': (Buffer);
}
