// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface ToldWarning {
  'enterprise'?: (string);
  'type'?: (string);
  'severity'?: (string);
  'from'?: (string);
  'place'?: (string);
  'receivedMillis'?: (number | string | Long);
}

export interface ToldWarning__Output {
  'enterprise': (string);
  'type': (string);
  'severity': (string);
  'from': (string);
  'place': (string);
  'receivedMillis': (number);
}
