// Original file: proto/federation.proto


export interface Decision {
  'decision'?: (string);
  'reason'?: (string);
}

export interface Decision__Output {
  'decision': (string);
  'reason': (string);
}
