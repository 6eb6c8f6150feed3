// Original file: proto/federation.proto


export interface ListUsersRequest {
}

export interface ListUsersRequest__Output {
}
