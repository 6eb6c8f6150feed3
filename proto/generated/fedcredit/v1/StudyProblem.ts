// Original file: proto/federation.proto


export interface StudyProblem {
  'reason'?: (string);
  'message'?: (string);
  'hint'?: (string);
}

export interface StudyProblem__Output {
  'reason': (string);
  'message': (string);
  'hint': (string);
}
