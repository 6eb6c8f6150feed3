// Original file: proto/federation.proto

import type { Survivor as _fedcredit_v1_Survivor, Survivor__Output as _fedcredit_v1_Survivor__Output } from '../../fedcredit/v1/Survivor.ts';

export interface Survivors {
  'roundId'?: (Buffer | Uint8Array | string);
  'survivors'?: (_fedcredit_v1_Survivor)[];
}

export interface Survivors__Output {
  'roundId': (Buffer);
  'survivors': (_fedcredit_v1_Survivor__Output)[];
}
