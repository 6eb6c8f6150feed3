// Original file: proto/federation.proto


export interface WarningReported {
  'taken'?: (number);
}

export interface WarningReported__Output {
  'taken': (number);
}
