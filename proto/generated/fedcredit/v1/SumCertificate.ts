// Original file: proto/federation.proto

import type { PartySignature as _fedcredit_v1_PartySignature, PartySignature__Output as _fedcredit_v1_PartySignature__Output } from '../../fedcredit/v1/PartySignature.ts';
import type { Long } from '@grpc/proto-loader';

export interface SumCertificate {
  'round'?: (number);
  'canonicalJson'?: (Buffer | Uint8Array | string);
  'entry'?: (number | string | Long);
  'confirmations'?: (_fedcredit_v1_PartySignature)[];
  'roster'?: (string);
}

export interface SumCertificate__Output {
  'round': (number);
  'canonicalJson': (Buffer);
  'entry': (number);
  'confirmations': (_fedcredit_v1_PartySignature__Output)[];
  'roster': (string);
}
