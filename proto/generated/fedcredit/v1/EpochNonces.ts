// Original file: proto/federation.proto

import type { OpenedNonce as _fedcredit_v1_OpenedNonce, OpenedNonce__Output as _fedcredit_v1_OpenedNonce__Output } from '../../fedcredit/v1/OpenedNonce.ts';

export interface EpochNonces {
  'opening'?: (Buffer | Uint8Array | string);
  'nonces'?: (_fedcredit_v1_OpenedNonce)[];
}

export interface EpochNonces__Output {
  'opening': (Buffer);
  'nonces': (_fedcredit_v1_OpenedNonce__Output)[];
}
