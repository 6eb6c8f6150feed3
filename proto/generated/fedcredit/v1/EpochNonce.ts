// Original file: proto/federation.proto


export interface EpochNonce {
  'opening'?: (Buffer | Uint8Array | string);
  'nonce'?: (Buffer | Uint8Array | string);
}

export interface EpochNonce__Output {
  'opening': (Buffer);
  'nonce': (Buffer);
}
