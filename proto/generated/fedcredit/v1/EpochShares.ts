// Original file: proto/federation.proto

import type { SealedShares as _fedcredit_v1_SealedShares, SealedShares__Output as _fedcredit_v1_SealedShares__Output } from '../../fedcredit/v1/SealedShares.ts';
import type { DealtKey as _fedcredit_v1_DealtKey, DealtKey__Output as _fedcredit_v1_DealtKey__Output } from '../../fedcredit/v1/DealtKey.ts';

export interface EpochShares {
  'opening'?: (Buffer | Uint8Array | string);
  'shares'?: (_fedcredit_v1_SealedShares)[];
  'dealt'?: (_fedcredit_v1_DealtKey | null);
}

export interface EpochShares__Output {
  'opening': (Buffer);
  'shares': (_fedcredit_v1_SealedShares__Output)[];
  'dealt': (_fedcredit_v1_DealtKey__Output | null);
}
