// Original file: proto/federation.proto

import type { User as _fedcredit_v1_User, User__Output as _fedcredit_v1_User__Output } from '../../fedcredit/v1/User.ts';

export interface ListUsersResponse {
  'users'?: (_fedcredit_v1_User)[];
}

export interface ListUsersResponse__Output {
  'users': (_fedcredit_v1_User__Output)[];
}
