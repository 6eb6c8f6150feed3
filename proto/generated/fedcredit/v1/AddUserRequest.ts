// Original file: proto/federation.proto


export interface AddUserRequest {
  'user'?: (string);
  'role'?: (string);
  'password'?: (string);
}

export interface AddUserRequest__Output {
  'user': (string);
  'role': (string);
  'password': (string);
}
