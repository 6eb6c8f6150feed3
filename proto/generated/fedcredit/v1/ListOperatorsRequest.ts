// Original file: proto/federation.proto


export interface ListOperatorsRequest {
}

export interface ListOperatorsRequest__Output {
}
