// Original file: proto/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface LogEntry {
  'index'?: (number | string | Long);
  'entry'?: (Buffer | Uint8Array | string);
}

export interface LogEntry__Output {
  'index': (number);
  'entry': (Buffer);
}
