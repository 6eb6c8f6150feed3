// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface CaseEvent {
  'entry'?: (number | string | Long);
  'what'?: (string);
  'by'?: (string);
  'said'?: (string);
  'step'?: (string);
  'causeEntry'?: (number | string | Long);
  'atMillis'?: (number | string | Long);
}

export interface CaseEvent__Output {
  'entry': (number);
  'what': (string);
  'by': (string);
  'said': (string);
  'step': (string);
  'causeEntry': (number);
  'atMillis': (number);
}
