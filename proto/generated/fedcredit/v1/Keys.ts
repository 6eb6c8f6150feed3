// Original file: proto/federation.proto

import type { Advertised as _fedcredit_v1_Advertised, Advertised__Output as _fedcredit_v1_Advertised__Output } from '../../fedcredit/v1/Advertised.ts';

export interface Keys {
  'roundId'?: (Buffer | Uint8Array | string);
  'advertised'?: (_fedcredit_v1_Advertised)[];
}

export interface Keys__Output {
  'roundId': (Buffer);
  'advertised': (_fedcredit_v1_Advertised__Output)[];
}
