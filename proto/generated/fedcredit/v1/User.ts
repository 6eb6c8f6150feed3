// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface User {
  'user'?: (string);
  'role'?: (string);
  'addedMillis'?: (number | string | Long);
}

export interface User__Output {
  'user': (string);
  'role': (string);
  'addedMillis': (number);
}
