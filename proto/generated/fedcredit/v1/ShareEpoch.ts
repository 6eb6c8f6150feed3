// Original file: proto/federation.proto

import type { SealedShares as _fedcredit_v1_SealedShares, SealedShares__Output as _fedcredit_v1_SealedShares__Output } from '../../fedcredit/v1/SealedShares.ts';
import type { EpochDealt as _fedcredit_v1_EpochDealt, EpochDealt__Output as _fedcredit_v1_EpochDealt__Output } from '../../fedcredit/v1/EpochDealt.ts';

export interface ShareEpoch {
  'opening'?: (Buffer | Uint8Array | string);
  'sealed'?: (_fedcredit_v1_SealedShares)[];
  'dealt'?: (_fedcredit_v1_EpochDealt | null);
}

export interface ShareEpoch__Output {
  'opening': (Buffer);
  'sealed': (_fedcredit_v1_SealedShares__Output)[];
  'dealt': (_fedcredit_v1_EpochDealt__Output | null);
}
