// Original file: proto/federation.proto


export interface Roster {
  'note'?: (string);
}

export interface Roster__Output {
  'note': (string);
}
