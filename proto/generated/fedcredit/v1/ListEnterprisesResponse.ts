// Original file: proto/federation.proto

import type { Enterprise as _fedcredit_v1_Enterprise, Enterprise__Output as _fedcredit_v1_Enterprise__Output } from '../../fedcredit/v1/Enterprise.ts';

export interface ListEnterprisesResponse {
  'enterprises'?: (_fedcredit_v1_Enterprise)[];
}

export interface ListEnterprisesResponse__Output {
  'enterprises': (_fedcredit_v1_Enterprise__Output)[];
}
