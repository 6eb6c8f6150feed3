// Original file: proto/federation.proto

import type { SealedKey as _fedcredit_v1_SealedKey, SealedKey__Output as _fedcredit_v1_SealedKey__Output } from '../../fedcredit/v1/SealedKey.ts';

export interface EpochDealt {
  'commitment'?: (Buffer | Uint8Array | string);
  'sealedDigests'?: (Buffer | Uint8Array | string)[];
  'signature'?: (Buffer | Uint8Array | string);
  'sealed'?: (_fedcredit_v1_SealedKey)[];
}

export interface EpochDealt__Output {
  'commitment': (Buffer);
  'sealedDigests': (Buffer)[];
  'signature': (Buffer);
  'sealed': (_fedcredit_v1_SealedKey__Output)[];
}
