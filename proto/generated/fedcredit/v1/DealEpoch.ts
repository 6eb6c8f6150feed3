// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface DealEpoch {
  'epoch'?: (number | string | Long);
  'roster'?: (Buffer | Uint8Array | string);
}

export interface DealEpoch__Output {
  'epoch': (number);
  'roster': (Buffer);
}
