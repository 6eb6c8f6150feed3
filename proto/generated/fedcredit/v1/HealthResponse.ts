// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface HealthResponse {
  'protocolVersion'?: (number);
  'softwareVersion'?: (string);
  'timeMillis'?: (number | string | Long);
  'draining'?: (boolean);
}

export interface HealthResponse__Output {
  'protocolVersion': (number);
  'softwareVersion': (string);
  'timeMillis': (number);
  'draining': (boolean);
}
