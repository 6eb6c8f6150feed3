// Original file: proto/federation.proto

import type { PartySignature as _fedcredit_v1_PartySignature, PartySignature__Output as _fedcredit_v1_PartySignature__Output } from '../../fedcredit/v1/PartySignature.ts';

export interface EpochReady {
  'opening'?: (Buffer | Uint8Array | string);
  'digest'?: (Buffer | Uint8Array | string);
  'confirmations'?: (_fedcredit_v1_PartySignature)[];
}

export interface EpochReady__Output {
  'opening': (Buffer);
  'digest': (Buffer);
  'confirmations': (_fedcredit_v1_PartySignature__Output)[];
}
