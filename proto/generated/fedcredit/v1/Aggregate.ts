// Original file: proto/federation.proto

import type { SubmittedChunks as _fedcredit_v1_SubmittedChunks, SubmittedChunks__Output as _fedcredit_v1_SubmittedChunks__Output } from '../../fedcredit/v1/SubmittedChunks.ts';
import type { RevealedSeed as _fedcredit_v1_RevealedSeed, RevealedSeed__Output as _fedcredit_v1_RevealedSeed__Output } from '../../fedcredit/v1/RevealedSeed.ts';
import type { RevealedMaskSecret as _fedcredit_v1_RevealedMaskSecret, RevealedMaskSecret__Output as _fedcredit_v1_RevealedMaskSecret__Output } from '../../fedcredit/v1/RevealedMaskSecret.ts';

export interface Aggregate {
  'roundId'?: (Buffer | Uint8Array | string);
  'chunks'?: (Buffer | Uint8Array | string)[];
  'submissions'?: (_fedcredit_v1_SubmittedChunks)[];
  'seeds'?: (_fedcredit_v1_RevealedSeed)[];
  'secrets'?: (_fedcredit_v1_RevealedMaskSecret)[];
  'first'?: (boolean);
  'noise'?: (_fedcredit_v1_RevealedSeed)[];
}

export interface Aggregate__Output {
  'roundId': (Buffer);
  'chunks': (Buffer)[];
  'submissions': (_fedcredit_v1_SubmittedChunks__Output)[];
  'seeds': (_fedcredit_v1_RevealedSeed__Output)[];
  'secrets': (_fedcredit_v1_RevealedMaskSecret__Output)[];
  'first': (boolean);
  'noise': (_fedcredit_v1_RevealedSeed__Output)[];
}
