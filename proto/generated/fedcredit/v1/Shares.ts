// Original file: proto/federation.proto

import type { SealedShare as _fedcredit_v1_SealedShare, SealedShare__Output as _fedcredit_v1_SealedShare__Output } from '../../fedcredit/v1/SealedShare.ts';

export interface Shares {
  'roundId'?: (Buffer | Uint8Array | string);
  'sharers'?: (string)[];
  'sealed'?: (_fedcredit_v1_SealedShare)[];
}

export interface Shares__Output {
  'roundId': (Buffer);
  'sharers': (string)[];
  'sealed': (_fedcredit_v1_SealedShare__Output)[];
}
