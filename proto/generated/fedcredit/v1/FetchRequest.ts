// Original file: proto/federation.proto


export interface FetchRequest {
  'digests'?: (Buffer | Uint8Array | string)[];
}

export interface FetchRequest__Output {
  'digests': (Buffer)[];
}
