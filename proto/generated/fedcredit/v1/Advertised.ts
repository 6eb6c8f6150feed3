// Original file: proto/federation.proto


export interface Advertised {
  'party'?: (string);
  'maskKey'?: (Buffer | Uint8Array | string);
  'shareKey'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface Advertised__Output {
  'party': (string);
  'maskKey': (Buffer);
  'shareKey': (Buffer);
  'signature': (Buffer);
}
