// Original file: proto/audit.proto


export interface ExportRequest {
}

export interface ExportRequest__Output {
}
