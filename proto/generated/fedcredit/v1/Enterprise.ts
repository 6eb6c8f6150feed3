// Original file: proto/federation.proto

import type { Certificate as _fedcredit_v1_Certificate, Certificate__Output as _fedcredit_v1_Certificate__Output } from '../../fedcredit/v1/Certificate.ts';

export interface Enterprise {
  'enterprise'?: (string);
  'organisation'?: (string);
  'standing'?: (string);
  'certificates'?: (_fedcredit_v1_Certificate)[];
}

export interface Enterprise__Output {
  'enterprise': (string);
  'organisation': (string);
  'standing': (string);
  'certificates': (_fedcredit_v1_Certificate__Output)[];
}
