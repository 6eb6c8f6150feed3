// Original file: proto/federation.proto

import type { Joined as _fedcredit_v1_Joined, Joined__Output as _fedcredit_v1_Joined__Output } from '../../fedcredit/v1/Joined.ts';

export interface EpochJoined {
  'opening'?: (Buffer | Uint8Array | string);
  'joined'?: (_fedcredit_v1_Joined)[];
}

export interface EpochJoined__Output {
  'opening': (Buffer);
  'joined': (_fedcredit_v1_Joined__Output)[];
}
