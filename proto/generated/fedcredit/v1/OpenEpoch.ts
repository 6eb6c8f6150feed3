// Original file: proto/federation.proto


export interface OpenEpoch {
  'header'?: (Buffer | Uint8Array | string);
}

export interface OpenEpoch__Output {
  'header': (Buffer);
}
