// Original file: proto/federation.proto


export interface RenewResponse {
  'certificatePem'?: (string);
  'authorityPem'?: (string);
}

export interface RenewResponse__Output {
  'certificatePem': (string);
  'authorityPem': (string);
}
