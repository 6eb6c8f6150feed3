// Original file: proto/federation.proto


export interface PruneRequest {
}

export interface PruneRequest__Output {
}
