// Original file: proto/federation.proto


export interface Open {
  'header'?: (Buffer | Uint8Array | string);
}

export interface Open__Output {
  'header': (Buffer);
}
