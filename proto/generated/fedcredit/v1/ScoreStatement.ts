// Original file: proto/federation.proto


export interface ScoreStatement {
  'note'?: (string);
}

export interface ScoreStatement__Output {
  'note': (string);
}
