// Original file: proto/federation.proto


export interface RetireRequest {
}

export interface RetireRequest__Output {
}
