// Original file: proto/federation.proto

import type { SealedKey as _fedcredit_v1_SealedKey, SealedKey__Output as _fedcredit_v1_SealedKey__Output } from '../../fedcredit/v1/SealedKey.ts';
import type { Long } from '@grpc/proto-loader';

export interface EpochKey {
  'epoch'?: (number | string | Long);
  'roster'?: (Buffer | Uint8Array | string);
  'commitment'?: (Buffer | Uint8Array | string);
  'dealer'?: (string);
  'sealed'?: (_fedcredit_v1_SealedKey | null);
  'signature'?: (Buffer | Uint8Array | string);
  'sealedDigests'?: (Buffer | Uint8Array | string)[];
}

export interface EpochKey__Output {
  'epoch': (number);
  'roster': (Buffer);
  'commitment': (Buffer);
  'dealer': (string);
  'sealed': (_fedcredit_v1_SealedKey__Output | null);
  'signature': (Buffer);
  'sealedDigests': (Buffer)[];
}
