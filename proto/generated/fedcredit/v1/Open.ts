// Original file: proto/federation.proto

import type { Lift as _fedcredit_v1_Lift, Lift__Output as _fedcredit_v1_Lift__Output } from '../../fedcredit/v1/Lift.ts';
import type { Growth as _fedcredit_v1_Growth, Growth__Output as _fedcredit_v1_Growth__Output } from '../../fedcredit/v1/Growth.ts';

export interface Open {
  'header'?: (Buffer | Uint8Array | string);
  'lifts'?: (_fedcredit_v1_Lift)[];
  'evidence'?: (Buffer | Uint8Array | string);
  'growth'?: (_fedcredit_v1_Growth | null);
}

export interface Open__Output {
  'header': (Buffer);
  'lifts': (_fedcredit_v1_Lift__Output)[];
  'evidence': (Buffer);
  'growth': (_fedcredit_v1_Growth__Output | null);
}
