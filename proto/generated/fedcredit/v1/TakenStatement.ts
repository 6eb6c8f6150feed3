// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface TakenStatement {
  'note'?: (string);
  'entry'?: (number | string | Long);
}

export interface TakenStatement__Output {
  'note': (string);
  'entry': (number);
}
