// Original file: proto/federation.proto


export interface ListCasesRequest {
}

export interface ListCasesRequest__Output {
}
