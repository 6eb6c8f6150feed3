// Original file: proto/federation.proto


export interface UserResponse {
}

export interface UserResponse__Output {
}
