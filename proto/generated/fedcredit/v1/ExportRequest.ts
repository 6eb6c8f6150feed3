// Original file: proto/audit.proto


export interface ExportRequest {
  'withoutSums'?: (boolean);
}

export interface ExportRequest__Output {
  'withoutSums': (boolean);
}
