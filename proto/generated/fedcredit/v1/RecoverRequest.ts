// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface RecoverRequest {
  'checkpoints'?: (string)[];
  'roster'?: (string);
  'kept'?: (number | string | Long);
}

export interface RecoverRequest__Output {
  'checkpoints': (string)[];
  'roster': (string);
  'kept': (number);
}
