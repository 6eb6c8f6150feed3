// Original file: proto/federation.proto


export interface ConfirmEpoch {
  'opening'?: (Buffer | Uint8Array | string);
  'digest'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface ConfirmEpoch__Output {
  'opening': (Buffer);
  'digest': (Buffer);
  'signature': (Buffer);
}
