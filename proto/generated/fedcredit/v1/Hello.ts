// Original file: proto/federation.proto


export interface Hello {
  'protocolVersion'?: (number);
  'softwareVersion'?: (string);
}

export interface Hello__Output {
  'protocolVersion': (number);
  'softwareVersion': (string);
}
