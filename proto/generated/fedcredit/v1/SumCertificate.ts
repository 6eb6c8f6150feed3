// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface SumCertificate {
  'round'?: (number);
  'canonicalJson'?: (Buffer | Uint8Array | string);
  'entry'?: (number | string | Long);
  'epoch'?: (Buffer | Uint8Array | string);
  'roster'?: (string);
}

export interface SumCertificate__Output {
  'round': (number);
  'canonicalJson': (Buffer);
  'entry': (number);
  'epoch': (Buffer);
  'roster': (string);
}
