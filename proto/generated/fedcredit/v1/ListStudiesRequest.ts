// Original file: proto/federation.proto


export interface ListStudiesRequest {
}

export interface ListStudiesRequest__Output {
}
