// Original file: proto/federation.proto


export interface UserRequest {
  'user'?: (string);
  'role'?: (string);
}

export interface UserRequest__Output {
  'user': (string);
  'role': (string);
}
