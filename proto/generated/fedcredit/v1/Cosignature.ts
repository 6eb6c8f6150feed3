// Original file: proto/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface Cosignature {
  'size'?: (number | string | Long);
  'line'?: (string);
}

export interface Cosignature__Output {
  'size': (number);
  'line': (string);
}
