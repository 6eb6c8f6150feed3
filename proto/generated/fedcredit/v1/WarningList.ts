// Original file: proto/federation.proto

import type { ToldWarning as _fedcredit_v1_ToldWarning, ToldWarning__Output as _fedcredit_v1_ToldWarning__Output } from '../../fedcredit/v1/ToldWarning.ts';

export interface WarningList {
  'warnings'?: (_fedcredit_v1_ToldWarning)[];
}

export interface WarningList__Output {
  'warnings': (_fedcredit_v1_ToldWarning__Output)[];
}
