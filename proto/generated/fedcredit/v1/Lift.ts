// Original file: proto/federation.proto

import type { PartySignature as _fedcredit_v1_PartySignature, PartySignature__Output as _fedcredit_v1_PartySignature__Output } from '../../fedcredit/v1/PartySignature.ts';

export interface Lift {
  'roundId'?: (Buffer | Uint8Array | string);
  'signatures'?: (_fedcredit_v1_PartySignature)[];
}

export interface Lift__Output {
  'roundId': (Buffer);
  'signatures': (_fedcredit_v1_PartySignature__Output)[];
}
