// Original file: proto/federation.proto

import type { StudyStatus as _fedcredit_v1_StudyStatus, StudyStatus__Output as _fedcredit_v1_StudyStatus__Output } from '../../fedcredit/v1/StudyStatus.ts';
import type { StudyMember as _fedcredit_v1_StudyMember, StudyMember__Output as _fedcredit_v1_StudyMember__Output } from '../../fedcredit/v1/StudyMember.ts';
import type { StudyFault as _fedcredit_v1_StudyFault, StudyFault__Output as _fedcredit_v1_StudyFault__Output } from '../../fedcredit/v1/StudyFault.ts';

export interface StudyInspection {
  'status'?: (_fedcredit_v1_StudyStatus | null);
  'members'?: (_fedcredit_v1_StudyMember)[];
  'cohort'?: (number);
  'leastCohort'?: (number);
  'lastFault'?: (_fedcredit_v1_StudyFault | null);
  'sums'?: (number);
  'mostSums'?: (number);
  'mostSecondsLeft'?: (number | string);
}

export interface StudyInspection__Output {
  'status': (_fedcredit_v1_StudyStatus__Output | null);
  'members': (_fedcredit_v1_StudyMember__Output)[];
  'cohort': (number);
  'leastCohort': (number);
  'lastFault': (_fedcredit_v1_StudyFault__Output | null);
  'sums': (number);
  'mostSums': (number);
  'mostSecondsLeft': (number);
}
