// Original file: proto/federation.proto

import type { AgreedSignature as _fedcredit_v1_AgreedSignature, AgreedSignature__Output as _fedcredit_v1_AgreedSignature__Output } from '../../fedcredit/v1/AgreedSignature.ts';

export interface Agreed {
  'roundId'?: (Buffer | Uint8Array | string);
  'signatures'?: (_fedcredit_v1_AgreedSignature)[];
}

export interface Agreed__Output {
  'roundId': (Buffer);
  'signatures': (_fedcredit_v1_AgreedSignature__Output)[];
}
