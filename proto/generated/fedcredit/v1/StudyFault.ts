// Original file: proto/federation.proto


export interface StudyFault {
  'round'?: (number);
  'attempt'?: (number);
  'reason'?: (string);
  'party'?: (string);
}

export interface StudyFault__Output {
  'round': (number);
  'attempt': (number);
  'reason': (string);
  'party': (string);
}
