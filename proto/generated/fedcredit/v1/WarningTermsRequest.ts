// Original file: proto/federation.proto


export interface WarningTermsRequest {
}

export interface WarningTermsRequest__Output {
}
