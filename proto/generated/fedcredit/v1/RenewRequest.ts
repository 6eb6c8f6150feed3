// Original file: proto/federation.proto


export interface RenewRequest {
  'csrPem'?: (string);
  'rotate'?: (boolean);
}

export interface RenewRequest__Output {
  'csrPem': (string);
  'rotate': (boolean);
}
