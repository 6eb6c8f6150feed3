// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface Roster {
  'note'?: (string);
  'entry'?: (number | string | Long);
}

export interface Roster__Output {
  'note': (string);
  'entry': (number);
}
