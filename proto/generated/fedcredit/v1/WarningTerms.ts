// Original file: proto/federation.proto


export interface WarningTerms {
  'purpose'?: (string);
  'leastSeverity'?: (string);
  'period'?: (string);
  'places'?: (boolean);
  'keepDays'?: (number);
}

export interface WarningTerms__Output {
  'purpose': (string);
  'leastSeverity': (string);
  'period': (string);
  'places': (boolean);
  'keepDays': (number);
}
