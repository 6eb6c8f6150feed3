// Original file: proto/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface ConsistencyRequest {
  'oldSize'?: (number | string | Long);
  'newSize'?: (number | string | Long);
}

export interface ConsistencyRequest__Output {
  'oldSize': (number);
  'newSize': (number);
}
