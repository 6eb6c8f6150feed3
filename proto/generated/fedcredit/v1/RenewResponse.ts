// Original file: proto/federation.proto


export interface RenewResponse {
  'certificatePem'?: (string);
}

export interface RenewResponse__Output {
  'certificatePem': (string);
}
