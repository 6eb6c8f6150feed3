// Original file: proto/federation.proto


export interface WarningQuery {
  'enterprise'?: (string);
  'since'?: (string);
  'limit'?: (number);
}

export interface WarningQuery__Output {
  'enterprise': (string);
  'since': (string);
  'limit': (number);
}
