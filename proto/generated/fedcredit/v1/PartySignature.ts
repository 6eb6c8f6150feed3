// Original file: proto/federation.proto


export interface PartySignature {
  'party'?: (string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface PartySignature__Output {
  'party': (string);
  'signature': (Buffer);
}
