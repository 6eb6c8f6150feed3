// Original file: proto/federation.proto

import type { Operator as _fedcredit_v1_Operator, Operator__Output as _fedcredit_v1_Operator__Output } from '../../fedcredit/v1/Operator.ts';

export interface ListOperatorsResponse {
  'operators'?: (_fedcredit_v1_Operator)[];
}

export interface ListOperatorsResponse__Output {
  'operators': (_fedcredit_v1_Operator__Output)[];
}
