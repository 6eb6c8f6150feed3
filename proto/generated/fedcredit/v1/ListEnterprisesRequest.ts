// Original file: proto/federation.proto


export interface ListEnterprisesRequest {
}

export interface ListEnterprisesRequest__Output {
}
