// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface Certificate {
  'serial'?: (string);
  'expiresMillis'?: (number | string | Long);
}

export interface Certificate__Output {
  'serial': (string);
  'expiresMillis': (number);
}
