// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface Growth {
  'since'?: (number | string | Long);
  'hashes'?: (Buffer | Uint8Array | string)[];
}

export interface Growth__Output {
  'since': (number);
  'hashes': (Buffer)[];
}
