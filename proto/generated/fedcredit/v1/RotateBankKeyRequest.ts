// Original file: proto/federation.proto


export interface RotateBankKeyRequest {
}

export interface RotateBankKeyRequest__Output {
}
