// Original file: proto/federation.proto


export interface ListModelsRequest {
}

export interface ListModelsRequest__Output {
}
