// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface BlobRequest {
  'digest'?: (Buffer | Uint8Array | string);
  'size'?: (number | string | Long);
}

export interface BlobRequest__Output {
  'digest': (Buffer);
  'size': (number);
}
