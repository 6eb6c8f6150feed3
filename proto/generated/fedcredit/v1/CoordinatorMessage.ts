// Original file: proto/federation.proto

import type { OpenEpoch as _fedcredit_v1_OpenEpoch, OpenEpoch__Output as _fedcredit_v1_OpenEpoch__Output } from '../../fedcredit/v1/OpenEpoch.ts';
import type { EpochJoined as _fedcredit_v1_EpochJoined, EpochJoined__Output as _fedcredit_v1_EpochJoined__Output } from '../../fedcredit/v1/EpochJoined.ts';
import type { EpochNonces as _fedcredit_v1_EpochNonces, EpochNonces__Output as _fedcredit_v1_EpochNonces__Output } from '../../fedcredit/v1/EpochNonces.ts';
import type { EpochShares as _fedcredit_v1_EpochShares, EpochShares__Output as _fedcredit_v1_EpochShares__Output } from '../../fedcredit/v1/EpochShares.ts';
import type { Accuse as _fedcredit_v1_Accuse, Accuse__Output as _fedcredit_v1_Accuse__Output } from '../../fedcredit/v1/Accuse.ts';
import type { EpochReady as _fedcredit_v1_EpochReady, EpochReady__Output as _fedcredit_v1_EpochReady__Output } from '../../fedcredit/v1/EpochReady.ts';
import type { EpochFailed as _fedcredit_v1_EpochFailed, EpochFailed__Output as _fedcredit_v1_EpochFailed__Output } from '../../fedcredit/v1/EpochFailed.ts';
import type { Open as _fedcredit_v1_Open, Open__Output as _fedcredit_v1_Open__Output } from '../../fedcredit/v1/Open.ts';
import type { Survivors as _fedcredit_v1_Survivors, Survivors__Output as _fedcredit_v1_Survivors__Output } from '../../fedcredit/v1/Survivors.ts';
import type { Agreed as _fedcredit_v1_Agreed, Agreed__Output as _fedcredit_v1_Agreed__Output } from '../../fedcredit/v1/Agreed.ts';
import type { Aggregate as _fedcredit_v1_Aggregate, Aggregate__Output as _fedcredit_v1_Aggregate__Output } from '../../fedcredit/v1/Aggregate.ts';
import type { Renounce as _fedcredit_v1_Renounce, Renounce__Output as _fedcredit_v1_Renounce__Output } from '../../fedcredit/v1/Renounce.ts';
import type { Closed as _fedcredit_v1_Closed, Closed__Output as _fedcredit_v1_Closed__Output } from '../../fedcredit/v1/Closed.ts';

export interface CoordinatorMessage {
  'openEpoch'?: (_fedcredit_v1_OpenEpoch | null);
  'epochJoined'?: (_fedcredit_v1_EpochJoined | null);
  'epochNonces'?: (_fedcredit_v1_EpochNonces | null);
  'epochShares'?: (_fedcredit_v1_EpochShares | null);
  'accuse'?: (_fedcredit_v1_Accuse | null);
  'epochReady'?: (_fedcredit_v1_EpochReady | null);
  'epochFailed'?: (_fedcredit_v1_EpochFailed | null);
  'open'?: (_fedcredit_v1_Open | null);
  'survivors'?: (_fedcredit_v1_Survivors | null);
  'agreed'?: (_fedcredit_v1_Agreed | null);
  'aggregate'?: (_fedcredit_v1_Aggregate | null);
  'renounce'?: (_fedcredit_v1_Renounce | null);
  'closed'?: (_fedcredit_v1_Closed | null);
  'message'?: "openEpoch"|"epochJoined"|"epochNonces"|"epochShares"|"accuse"|"epochReady"|"epochFailed"|"open"|"survivors"|"agreed"|"aggregate"|"renounce"|"closed";
}

export interface CoordinatorMessage__Output {
  'openEpoch'?: (_fedcredit_v1_OpenEpoch__Output | null);
  'epochJoined'?: (_fedcredit_v1_EpochJoined__Output | null);
  'epochNonces'?: (_fedcredit_v1_EpochNonces__Output | null);
  'epochShares'?: (_fedcredit_v1_EpochShares__Output | null);
  'accuse'?: (_fedcredit_v1_Accuse__Output | null);
  'epochReady'?: (_fedcredit_v1_EpochReady__Output | null);
  'epochFailed'?: (_fedcredit_v1_EpochFailed__Output | null);
  'open'?: (_fedcredit_v1_Open__Output | null);
  'survivors'?: (_fedcredit_v1_Survivors__Output | null);
  'agreed'?: (_fedcredit_v1_Agreed__Output | null);
  'aggregate'?: (_fedcredit_v1_Aggregate__Output | null);
  'renounce'?: (_fedcredit_v1_Renounce__Output | null);
  'closed'?: (_fedcredit_v1_Closed__Output | null);
  'message'?: "openEpoch"|"epochJoined"|"epochNonces"|"epochShares"|"accuse"|"epochReady"|"epochFailed"|"open"|"survivors"|"agreed"|"aggregate"|"renounce"|"closed";
}
