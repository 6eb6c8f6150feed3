// Original file: proto/audit.proto

import type { Cosignature as _fedcredit_v1_Cosignature, Cosignature__Output as _fedcredit_v1_Cosignature__Output } from '../../fedcredit/v1/Cosignature.ts';

export interface LedgerCheckpoint {
  'note'?: (string);
  'cosignature'?: (_fedcredit_v1_Cosignature | null);
}

export interface LedgerCheckpoint__Output {
  'note': (string);
  'cosignature': (_fedcredit_v1_Cosignature__Output | null);
}
