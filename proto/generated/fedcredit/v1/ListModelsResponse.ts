// Original file: proto/federation.proto

import type { RegisteredModel as _fedcredit_v1_RegisteredModel, RegisteredModel__Output as _fedcredit_v1_RegisteredModel__Output } from '../../fedcredit/v1/RegisteredModel.ts';

export interface ListModelsResponse {
  'models'?: (_fedcredit_v1_RegisteredModel)[];
  'approvalsNeeded'?: (number);
}

export interface ListModelsResponse__Output {
  'models': (_fedcredit_v1_RegisteredModel__Output)[];
  'approvalsNeeded': (number);
}
