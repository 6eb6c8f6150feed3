// Original file: proto/federation.proto


export interface StudyRequest {
  'study'?: (Buffer | Uint8Array | string);
}

export interface StudyRequest__Output {
  'study': (Buffer);
}
