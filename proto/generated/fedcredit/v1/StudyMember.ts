// Original file: proto/federation.proto

import type { Long } from '@grpc/proto-loader';

export interface StudyMember {
  'enterprise'?: (string);
  'organisation'?: (string);
  'connected'?: (boolean);
  'consent'?: (string);
  'expiresMillis'?: (number | string | Long);
  'reason'?: (string);
  'leftOut'?: (boolean);
}

export interface StudyMember__Output {
  'enterprise': (string);
  'organisation': (string);
  'connected': (boolean);
  'consent': (string);
  'expiresMillis': (number);
  'reason': (string);
  'leftOut': (boolean);
}
