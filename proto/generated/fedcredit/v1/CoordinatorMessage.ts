// Original file: proto/federation.proto

import type { DealEpoch as _fedcredit_v1_DealEpoch, DealEpoch__Output as _fedcredit_v1_DealEpoch__Output } from '../../fedcredit/v1/DealEpoch.ts';
import type { EpochKey as _fedcredit_v1_EpochKey, EpochKey__Output as _fedcredit_v1_EpochKey__Output } from '../../fedcredit/v1/EpochKey.ts';
import type { Open as _fedcredit_v1_Open, Open__Output as _fedcredit_v1_Open__Output } from '../../fedcredit/v1/Open.ts';
import type { Keys as _fedcredit_v1_Keys, Keys__Output as _fedcredit_v1_Keys__Output } from '../../fedcredit/v1/Keys.ts';
import type { Shares as _fedcredit_v1_Shares, Shares__Output as _fedcredit_v1_Shares__Output } from '../../fedcredit/v1/Shares.ts';
import type { Survivors as _fedcredit_v1_Survivors, Survivors__Output as _fedcredit_v1_Survivors__Output } from '../../fedcredit/v1/Survivors.ts';
import type { Agreed as _fedcredit_v1_Agreed, Agreed__Output as _fedcredit_v1_Agreed__Output } from '../../fedcredit/v1/Agreed.ts';
import type { Aggregate as _fedcredit_v1_Aggregate, Aggregate__Output as _fedcredit_v1_Aggregate__Output } from '../../fedcredit/v1/Aggregate.ts';
import type { Closed as _fedcredit_v1_Closed, Closed__Output as _fedcredit_v1_Closed__Output } from '../../fedcredit/v1/Closed.ts';

export interface CoordinatorMessage {
  'dealEpoch'?: (_fedcredit_v1_DealEpoch | null);
  'epochKey'?: (_fedcredit_v1_EpochKey | null);
  'open'?: (_fedcredit_v1_Open | null);
  'keys'?: (_fedcredit_v1_Keys | null);
  'shares'?: (_fedcredit_v1_Shares | null);
  'survivors'?: (_fedcredit_v1_Survivors | null);
  'agreed'?: (_fedcredit_v1_Agreed | null);
  'aggregate'?: (_fedcredit_v1_Aggregate | null);
  'closed'?: (_fedcredit_v1_Closed | null);
  'message'?: "dealEpoch"|"epochKey"|"open"|"keys"|"shares"|"survivors"|"agreed"|"aggregate"|"closed";
}

export interface CoordinatorMessage__Output {
  'dealEpoch'?: (_fedcredit_v1_DealEpoch__Output | null);
  'epochKey'?: (_fedcredit_v1_EpochKey__Output | null);
  'open'?: (_fedcredit_v1_Open__Output | null);
  'keys'?: (_fedcredit_v1_Keys__Output | null);
  'shares'?: (_fedcredit_v1_Shares__Output | null);
  'survivors'?: (_fedcredit_v1_Survivors__Output | null);
  'agreed'?: (_fedcredit_v1_Agreed__Output | null);
  'aggregate'?: (_fedcredit_v1_Aggregate__Output | null);
  'closed'?: (_fedcredit_v1_Closed__Output | null);
  'message'?: "dealEpoch"|"epochKey"|"open"|"keys"|"shares"|"survivors"|"agreed"|"aggregate"|"closed";
}
