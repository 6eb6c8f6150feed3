// Original file: proto/federation.proto

import type { CaseEvent as _fedcredit_v1_CaseEvent, CaseEvent__Output as _fedcredit_v1_CaseEvent__Output } from '../../fedcredit/v1/CaseEvent.ts';
import type { Long } from '@grpc/proto-loader';

export interface Case {
  'number'?: (number | string | Long);
  'enterprise'?: (string);
  'cause'?: (string);
  'suggestion'?: (string);
  'assignedTo'?: (string);
  'decision'?: (string);
  'raisedMillis'?: (number | string | Long);
  'decidedMillis'?: (number | string | Long);
  'events'?: (_fedcredit_v1_CaseEvent)[];
  'model'?: (string);
}

export interface Case__Output {
  'number': (number);
  'enterprise': (string);
  'cause': (string);
  'suggestion': (string);
  'assignedTo': (string);
  'decision': (string);
  'raisedMillis': (number);
  'decidedMillis': (number);
  'events': (_fedcredit_v1_CaseEvent__Output)[];
  'model': (string);
}
