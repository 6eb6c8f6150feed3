// Original file: proto/federation.proto

import type { Case as _fedcredit_v1_Case, Case__Output as _fedcredit_v1_Case__Output } from '../../fedcredit/v1/Case.ts';

export interface ListCasesResponse {
  'cases'?: (_fedcredit_v1_Case)[];
}

export interface ListCasesResponse__Output {
  'cases': (_fedcredit_v1_Case__Output)[];
}
