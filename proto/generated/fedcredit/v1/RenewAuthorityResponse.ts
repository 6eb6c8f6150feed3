// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface RenewAuthorityResponse {
  'expiresMillis'?: (number | string | Long);
}

export interface RenewAuthorityResponse__Output {
  'expiresMillis': (number);
}
