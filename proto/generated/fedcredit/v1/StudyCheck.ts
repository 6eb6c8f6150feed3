// Original file: proto/federation.proto

import type { StudyProblem as _fedcredit_v1_StudyProblem, StudyProblem__Output as _fedcredit_v1_StudyProblem__Output } from '../../fedcredit/v1/StudyProblem.ts';
import type { AlgorithmCost as _fedcredit_v1_AlgorithmCost, AlgorithmCost__Output as _fedcredit_v1_AlgorithmCost__Output } from '../../fedcredit/v1/AlgorithmCost.ts';

export interface StudyCheck {
  'study'?: (Buffer | Uint8Array | string);
  'problems'?: (_fedcredit_v1_StudyProblem)[];
  'notes'?: (string)[];
  'organisations'?: (number);
  'threshold'?: (number);
  'dropOuts'?: (number);
  'costs'?: (_fedcredit_v1_AlgorithmCost)[];
}

export interface StudyCheck__Output {
  'study': (Buffer);
  'problems': (_fedcredit_v1_StudyProblem__Output)[];
  'notes': (string)[];
  'organisations': (number);
  'threshold': (number);
  'dropOuts': (number);
  'costs': (_fedcredit_v1_AlgorithmCost__Output)[];
}
