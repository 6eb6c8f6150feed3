// Original file: proto/federation.proto

import type { Manifest as _fedcredit_v1_Manifest, Manifest__Output as _fedcredit_v1_Manifest__Output } from '../../fedcredit/v1/Manifest.ts';
import type { Long } from '@grpc/proto-loader';

export interface StudyStatus {
  'study'?: (Buffer | Uint8Array | string);
  'name'?: (string);
  'phase'?: (string);
  'consented'?: (string)[];
  'round'?: (number);
  'attempt'?: (number);
  'algorithm'?: (string);
  'reason'?: (string);
  'detail'?: (string);
  'manifest'?: (_fedcredit_v1_Manifest | null);
  'entry'?: (number | string | Long);
}

export interface StudyStatus__Output {
  'study': (Buffer);
  'name': (string);
  'phase': (string);
  'consented': (string)[];
  'round': (number);
  'attempt': (number);
  'algorithm': (string);
  'reason': (string);
  'detail': (string);
  'manifest': (_fedcredit_v1_Manifest__Output | null);
  'entry': (number);
}
