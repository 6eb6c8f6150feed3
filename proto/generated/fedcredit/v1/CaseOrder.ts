// Original file: proto/federation.proto

import type { Decision as _fedcredit_v1_Decision, Decision__Output as _fedcredit_v1_Decision__Output } from '../../fedcredit/v1/Decision.ts';
import type { Long } from '@grpc/proto-loader';

export interface CaseOrder {
  'number'?: (number | string | Long);
  'assign'?: (string);
  'comment'?: (string);
  'decide'?: (_fedcredit_v1_Decision | null);
  'order'?: "assign"|"comment"|"decide";
}

export interface CaseOrder__Output {
  'number': (number);
  'assign'?: (string);
  'comment'?: (string);
  'decide'?: (_fedcredit_v1_Decision__Output | null);
  'order'?: "assign"|"comment"|"decide";
}
