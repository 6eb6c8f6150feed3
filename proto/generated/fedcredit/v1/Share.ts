// Original file: proto/federation.proto

import type { SealedShare as _fedcredit_v1_SealedShare, SealedShare__Output as _fedcredit_v1_SealedShare__Output } from '../../fedcredit/v1/SealedShare.ts';

export interface Share {
  'roundId'?: (Buffer | Uint8Array | string);
  'sealed'?: (_fedcredit_v1_SealedShare)[];
}

export interface Share__Output {
  'roundId': (Buffer);
  'sealed': (_fedcredit_v1_SealedShare__Output)[];
}
