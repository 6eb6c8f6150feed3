// Original file: proto/federation.proto


export interface RemoveOperatorRequest {
  'operator'?: (string);
}

export interface RemoveOperatorRequest__Output {
  'operator': (string);
}
