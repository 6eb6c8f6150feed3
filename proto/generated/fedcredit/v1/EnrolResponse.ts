// Original file: proto/federation.proto


export interface EnrolResponse {
  'certificatePem'?: (string);
  'caPem'?: (string);
  'consortium'?: (string);
  'bankKey'?: (string);
  'auditorKey'?: (string);
  'enterprise'?: (string);
}

export interface EnrolResponse__Output {
  'certificatePem': (string);
  'caPem': (string);
  'consortium': (string);
  'bankKey': (string);
  'auditorKey': (string);
  'enterprise': (string);
}
