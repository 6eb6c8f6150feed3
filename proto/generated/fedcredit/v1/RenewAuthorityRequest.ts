// Original file: proto/federation.proto


export interface RenewAuthorityRequest {
}

export interface RenewAuthorityRequest__Output {
}
