// Original file: proto/audit.proto


export interface Checkpoint {
  'note'?: (string);
}

export interface Checkpoint__Output {
  'note': (string);
}
