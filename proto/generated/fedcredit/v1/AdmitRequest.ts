// Original file: proto/federation.proto


export interface AdmitRequest {
  'enterprises'?: (string)[];
}

export interface AdmitRequest__Output {
  'enterprises': (string)[];
}
