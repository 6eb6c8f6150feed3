// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface ConsentRequest {
  'study'?: (Buffer | Uint8Array | string);
  'expiresMillis'?: (number | string | Long);
  'note'?: (string);
}

export interface ConsentRequest__Output {
  'study': (Buffer);
  'expiresMillis': (number);
  'note': (string);
}
