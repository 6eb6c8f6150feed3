// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface CaseRequest {
  'number'?: (number | string | Long);
}

export interface CaseRequest__Output {
  'number': (number);
}
