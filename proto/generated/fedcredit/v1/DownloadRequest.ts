// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface DownloadRequest {
  'digest'?: (Buffer | Uint8Array | string);
  'offset'?: (number | string | Long);
}

export interface DownloadRequest__Output {
  'digest': (Buffer);
  'offset': (number);
}
