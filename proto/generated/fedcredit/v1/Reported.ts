// Original file: proto/audit.proto


export interface Reported {
}

export interface Reported__Output {
}
