// Original file: proto/federation.proto

import type { RevealedShare as _fedcredit_v1_RevealedShare, RevealedShare__Output as _fedcredit_v1_RevealedShare__Output } from '../../fedcredit/v1/RevealedShare.ts';

export interface Unmask {
  'roundId'?: (Buffer | Uint8Array | string);
  'selfMaskSeed'?: (Buffer | Uint8Array | string);
  'selfMask'?: (_fedcredit_v1_RevealedShare)[];
  'maskSecret'?: (_fedcredit_v1_RevealedShare)[];
  'signature'?: (Buffer | Uint8Array | string);
  'noise'?: (Buffer | Uint8Array | string);
}

export interface Unmask__Output {
  'roundId': (Buffer);
  'selfMaskSeed': (Buffer);
  'selfMask': (_fedcredit_v1_RevealedShare__Output)[];
  'maskSecret': (_fedcredit_v1_RevealedShare__Output)[];
  'signature': (Buffer);
  'noise': (Buffer);
}
