// Original file: proto/federation.proto


export interface Agreement {
}

export interface Agreement__Output {
}
