// Original file: proto/federation.proto


export interface WarningReport {
  'note'?: (string);
  'report'?: (Buffer | Uint8Array | string);
}

export interface WarningReport__Output {
  'note': (string);
  'report': (Buffer);
}
