// Original file: proto/federation.proto


export interface AddUserResponse {
  'address'?: (string);
}

export interface AddUserResponse__Output {
  'address': (string);
}
