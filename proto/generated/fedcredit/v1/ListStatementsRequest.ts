// Original file: proto/federation.proto


export interface ListStatementsRequest {
  'enterprise'?: (string);
}

export interface ListStatementsRequest__Output {
  'enterprise': (string);
}
