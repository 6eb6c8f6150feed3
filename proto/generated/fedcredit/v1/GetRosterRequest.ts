// Original file: proto/federation.proto


export interface GetRosterRequest {
}

export interface GetRosterRequest__Output {
}
