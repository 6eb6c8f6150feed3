// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface EpochConfirmed {
  'epoch'?: (number | string | Long);
  'commitment'?: (Buffer | Uint8Array | string);
  'signature'?: (Buffer | Uint8Array | string);
}

export interface EpochConfirmed__Output {
  'epoch': (number);
  'commitment': (Buffer);
  'signature': (Buffer);
}
