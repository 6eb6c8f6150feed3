// Original file: proto/federation.proto


export interface CreateTokenResponse {
  'token'?: (string);
  'caFingerprint'?: (string);
}

export interface CreateTokenResponse__Output {
  'token': (string);
  'caFingerprint': (string);
}
