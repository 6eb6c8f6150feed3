// Original file: proto/audit.proto


export interface ConsistencyProof {
  'hashes'?: (Buffer | Uint8Array | string)[];
}

export interface ConsistencyProof__Output {
  'hashes': (Buffer)[];
}
