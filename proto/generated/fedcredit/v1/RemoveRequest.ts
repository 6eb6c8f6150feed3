// Original file: proto/federation.proto


export interface RemoveRequest {
  'enterprise'?: (string);
  'reason'?: (string);
}

export interface RemoveRequest__Output {
  'enterprise': (string);
  'reason': (string);
}
