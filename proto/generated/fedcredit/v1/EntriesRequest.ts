// Original file: proto/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface EntriesRequest {
  'start'?: (number | string | Long);
  'end'?: (number | string | Long);
}

export interface EntriesRequest__Output {
  'start': (number);
  'end': (number);
}
