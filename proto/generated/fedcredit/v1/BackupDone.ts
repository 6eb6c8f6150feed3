// Original file: proto/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface BackupDone {
  'size'?: (number | string | Long);
  'timeMillis'?: (number | string | Long);
}

export interface BackupDone__Output {
  'size': (number);
  'timeMillis': (number);
}
