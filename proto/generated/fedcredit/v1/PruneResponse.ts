// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface PruneResponse {
  'removed'?: (string)[];
  'awaited'?: (string)[];
  'checkpoints'?: (number | string | Long);
}

export interface PruneResponse__Output {
  'removed': (string)[];
  'awaited': (string)[];
  'checkpoints': (number);
}
