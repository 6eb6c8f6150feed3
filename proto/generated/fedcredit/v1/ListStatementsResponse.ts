// Original file: proto/federation.proto

import type { TakenStatement as _fedcredit_v1_TakenStatement, TakenStatement__Output as _fedcredit_v1_TakenStatement__Output } from '../../fedcredit/v1/TakenStatement.ts';

export interface ListStatementsResponse {
  'statements'?: (_fedcredit_v1_TakenStatement)[];
}

export interface ListStatementsResponse__Output {
  'statements': (_fedcredit_v1_TakenStatement__Output)[];
}
