// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface UploadChunk {
  'digest'?: (Buffer | Uint8Array | string);
  'size'?: (number | string | Long);
  'offset'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
  'roundId'?: (Buffer | Uint8Array | string);
}

export interface UploadChunk__Output {
  'digest': (Buffer);
  'size': (number);
  'offset': (number);
  'data': (Buffer);
  'roundId': (Buffer);
}
