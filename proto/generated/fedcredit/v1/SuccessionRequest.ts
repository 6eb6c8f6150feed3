// Original file: proto/federation.proto


export interface SuccessionRequest {
  'line'?: (string);
}

export interface SuccessionRequest__Output {
  'line': (string);
}
