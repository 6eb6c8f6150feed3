// Original file: proto/federation.proto


export interface RevokeRequest {
  'enterprise'?: (string);
}

export interface RevokeRequest__Output {
  'enterprise': (string);
}
