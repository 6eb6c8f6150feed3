// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface BlobStatus {
  'committed'?: (number | string | Long);
  'complete'?: (boolean);
}

export interface BlobStatus__Output {
  'committed': (number);
  'complete': (boolean);
}
