// Original file: proto/federation.proto


export interface AnswerComplaint {
  'opening'?: (Buffer | Uint8Array | string);
  'to'?: (string);
  'kind'?: (string);
  'secret'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface AnswerComplaint__Output {
  'opening': (Buffer);
  'to': (string);
  'kind': (string);
  'secret': (Buffer);
  'signature': (Buffer);
}
