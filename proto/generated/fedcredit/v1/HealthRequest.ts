// Original file: proto/federation.proto


export interface HealthRequest {
  'protocolVersion'?: (number);
}

export interface HealthRequest__Output {
  'protocolVersion': (number);
}
