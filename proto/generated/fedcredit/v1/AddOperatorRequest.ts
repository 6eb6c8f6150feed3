// Original file: proto/federation.proto


export interface AddOperatorRequest {
  'operator'?: (string);
  'csrPem'?: (string);
}

export interface AddOperatorRequest__Output {
  'operator': (string);
  'csrPem': (string);
}
