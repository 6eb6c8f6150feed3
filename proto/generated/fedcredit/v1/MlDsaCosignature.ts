// Original file: proto/audit.proto


export interface MlDsaCosignature {
  'line'?: (string);
  'key'?: (string);
}

export interface MlDsaCosignature__Output {
  'line': (string);
  'key': (string);
}
