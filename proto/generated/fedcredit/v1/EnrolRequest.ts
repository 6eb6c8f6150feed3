// Original file: proto/federation.proto


export interface EnrolRequest {
  'token'?: (string);
  'csrPem'?: (string);
  'identityKey'?: (string);
  'hpkeKey'?: (Buffer | Uint8Array | string);
  'protocolVersion'?: (number);
}

export interface EnrolRequest__Output {
  'token': (string);
  'csrPem': (string);
  'identityKey': (string);
  'hpkeKey': (Buffer);
  'protocolVersion': (number);
}
