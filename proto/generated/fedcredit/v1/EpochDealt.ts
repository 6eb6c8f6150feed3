// Original file: proto/federation.proto

import type { SealedKey as _fedcredit_v1_SealedKey, SealedKey__Output as _fedcredit_v1_SealedKey__Output } from '../../fedcredit/v1/SealedKey.ts';
import type { Long } from '@grpc/proto-loader';

export interface EpochDealt {
  'epoch'?: (number | string | Long);
  'roster'?: (Buffer | Uint8Array | string);
  'commitment'?: (Buffer | Uint8Array | string);
  'sealed'?: (_fedcredit_v1_SealedKey)[];
  'signature'?: (Buffer | Uint8Array | string);
}

export interface EpochDealt__Output {
  'epoch': (number);
  'roster': (Buffer);
  'commitment': (Buffer);
  'sealed': (_fedcredit_v1_SealedKey__Output)[];
  'signature': (Buffer);
}
