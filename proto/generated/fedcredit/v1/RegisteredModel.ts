// Original file: proto/federation.proto


export interface RegisteredModel {
  'model'?: (Buffer | Uint8Array | string);
  'study'?: (Buffer | Uint8Array | string);
  'name'?: (string);
  'purpose'?: (string);
  'result'?: (string);
  'standing'?: (string);
  'approvedBy'?: (string)[];
}

export interface RegisteredModel__Output {
  'model': (Buffer);
  'study': (Buffer);
  'name': (string);
  'purpose': (string);
  'result': (string);
  'standing': (string);
  'approvedBy': (string)[];
}
