// Original file: proto/audit.proto


export interface BackupRequest {
}

export interface BackupRequest__Output {
}
