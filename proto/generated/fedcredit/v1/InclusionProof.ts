// Original file: proto/audit.proto


export interface InclusionProof {
  'hashes'?: (Buffer | Uint8Array | string)[];
  'entry'?: (Buffer | Uint8Array | string);
}

export interface InclusionProof__Output {
  'hashes': (Buffer)[];
  'entry': (Buffer);
}
