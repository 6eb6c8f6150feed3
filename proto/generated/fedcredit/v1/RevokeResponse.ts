// Original file: proto/federation.proto


export interface RevokeResponse {
  'serials'?: (string)[];
}

export interface RevokeResponse__Output {
  'serials': (string)[];
}
