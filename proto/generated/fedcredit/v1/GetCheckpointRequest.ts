// Original file: proto/audit.proto


export interface GetCheckpointRequest {
}

export interface GetCheckpointRequest__Output {
}
