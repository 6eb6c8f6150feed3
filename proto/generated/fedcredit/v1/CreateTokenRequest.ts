// Original file: proto/federation.proto


export interface CreateTokenRequest {
  'enterprise'?: (string);
  'organisation'?: (string);
  'validSeconds'?: (number);
}

export interface CreateTokenRequest__Output {
  'enterprise': (string);
  'organisation': (string);
  'validSeconds': (number);
}
