// Original file: proto/federation.proto


export interface SubmittedChunks {
  'party'?: (string);
  'chunks'?: (Buffer | Uint8Array | string)[];
  'signature'?: (Buffer | Uint8Array | string);
}

export interface SubmittedChunks__Output {
  'party': (string);
  'chunks': (Buffer)[];
  'signature': (Buffer);
}
