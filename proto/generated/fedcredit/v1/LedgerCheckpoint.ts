// Original file: proto/audit.proto


export interface LedgerCheckpoint {
  'note'?: (string);
}

export interface LedgerCheckpoint__Output {
  'note': (string);
}
