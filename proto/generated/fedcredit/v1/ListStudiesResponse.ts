// Original file: proto/federation.proto

import type { StudyStatus as _fedcredit_v1_StudyStatus, StudyStatus__Output as _fedcredit_v1_StudyStatus__Output } from '../../fedcredit/v1/StudyStatus.ts';

export interface ListStudiesResponse {
  'studies'?: (_fedcredit_v1_StudyStatus)[];
}

export interface ListStudiesResponse__Output {
  'studies': (_fedcredit_v1_StudyStatus__Output)[];
}
