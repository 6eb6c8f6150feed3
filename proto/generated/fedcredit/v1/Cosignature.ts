// Original file: proto/audit.proto

import type { MlDsaCosignature as _fedcredit_v1_MlDsaCosignature, MlDsaCosignature__Output as _fedcredit_v1_MlDsaCosignature__Output } from '../../fedcredit/v1/MlDsaCosignature.ts';
import type { Long } from '@grpc/proto-loader';

export interface Cosignature {
  'size'?: (number | string | Long);
  'line'?: (string);
  'mlDsa'?: (_fedcredit_v1_MlDsaCosignature | null);
}

export interface Cosignature__Output {
  'size': (number);
  'line': (string);
  'mlDsa': (_fedcredit_v1_MlDsaCosignature__Output | null);
}
