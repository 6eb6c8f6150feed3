// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Agreement as _fedcredit_v1_Agreement, Agreement__Output as _fedcredit_v1_Agreement__Output } from '../../fedcredit/v1/Agreement.ts';
import type { Case as _fedcredit_v1_Case, Case__Output as _fedcredit_v1_Case__Output } from '../../fedcredit/v1/Case.ts';
import type { CaseOrder as _fedcredit_v1_CaseOrder, CaseOrder__Output as _fedcredit_v1_CaseOrder__Output } from '../../fedcredit/v1/CaseOrder.ts';
import type { CaseRequest as _fedcredit_v1_CaseRequest, CaseRequest__Output as _fedcredit_v1_CaseRequest__Output } from '../../fedcredit/v1/CaseRequest.ts';
import type { ConsentRequest as _fedcredit_v1_ConsentRequest, ConsentRequest__Output as _fedcredit_v1_ConsentRequest__Output } from '../../fedcredit/v1/ConsentRequest.ts';
import type { ListCasesRequest as _fedcredit_v1_ListCasesRequest, ListCasesRequest__Output as _fedcredit_v1_ListCasesRequest__Output } from '../../fedcredit/v1/ListCasesRequest.ts';
import type { ListCasesResponse as _fedcredit_v1_ListCasesResponse, ListCasesResponse__Output as _fedcredit_v1_ListCasesResponse__Output } from '../../fedcredit/v1/ListCasesResponse.ts';
import type { ListStatementsRequest as _fedcredit_v1_ListStatementsRequest, ListStatementsRequest__Output as _fedcredit_v1_ListStatementsRequest__Output } from '../../fedcredit/v1/ListStatementsRequest.ts';
import type { ListStatementsResponse as _fedcredit_v1_ListStatementsResponse, ListStatementsResponse__Output as _fedcredit_v1_ListStatementsResponse__Output } from '../../fedcredit/v1/ListStatementsResponse.ts';
import type { ScoreStatement as _fedcredit_v1_ScoreStatement, ScoreStatement__Output as _fedcredit_v1_ScoreStatement__Output } from '../../fedcredit/v1/ScoreStatement.ts';
import type { StudyRequest as _fedcredit_v1_StudyRequest, StudyRequest__Output as _fedcredit_v1_StudyRequest__Output } from '../../fedcredit/v1/StudyRequest.ts';
import type { TakenStatement as _fedcredit_v1_TakenStatement, TakenStatement__Output as _fedcredit_v1_TakenStatement__Output } from '../../fedcredit/v1/TakenStatement.ts';

export interface ScoresClient extends grpc.Client {
  Agree(argument: _fedcredit_v1_ConsentRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  Agree(argument: _fedcredit_v1_ConsentRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  Agree(argument: _fedcredit_v1_ConsentRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  Agree(argument: _fedcredit_v1_ConsentRequest, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  agree(argument: _fedcredit_v1_ConsentRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  agree(argument: _fedcredit_v1_ConsentRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  agree(argument: _fedcredit_v1_ConsentRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  agree(argument: _fedcredit_v1_ConsentRequest, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  
  GetCase(argument: _fedcredit_v1_CaseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  GetCase(argument: _fedcredit_v1_CaseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  GetCase(argument: _fedcredit_v1_CaseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  GetCase(argument: _fedcredit_v1_CaseRequest, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  getCase(argument: _fedcredit_v1_CaseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  getCase(argument: _fedcredit_v1_CaseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  getCase(argument: _fedcredit_v1_CaseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  getCase(argument: _fedcredit_v1_CaseRequest, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  
  ListCases(argument: _fedcredit_v1_ListCasesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListCasesResponse__Output>): grpc.ClientUnaryCall;
  ListCases(argument: _fedcredit_v1_ListCasesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListCasesResponse__Output>): grpc.ClientUnaryCall;
  ListCases(argument: _fedcredit_v1_ListCasesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListCasesResponse__Output>): grpc.ClientUnaryCall;
  ListCases(argument: _fedcredit_v1_ListCasesRequest, callback: grpc.requestCallback<_fedcredit_v1_ListCasesResponse__Output>): grpc.ClientUnaryCall;
  listCases(argument: _fedcredit_v1_ListCasesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListCasesResponse__Output>): grpc.ClientUnaryCall;
  listCases(argument: _fedcredit_v1_ListCasesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListCasesResponse__Output>): grpc.ClientUnaryCall;
  listCases(argument: _fedcredit_v1_ListCasesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListCasesResponse__Output>): grpc.ClientUnaryCall;
  listCases(argument: _fedcredit_v1_ListCasesRequest, callback: grpc.requestCallback<_fedcredit_v1_ListCasesResponse__Output>): grpc.ClientUnaryCall;
  
  ListStatements(argument: _fedcredit_v1_ListStatementsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListStatementsResponse__Output>): grpc.ClientUnaryCall;
  ListStatements(argument: _fedcredit_v1_ListStatementsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListStatementsResponse__Output>): grpc.ClientUnaryCall;
  ListStatements(argument: _fedcredit_v1_ListStatementsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListStatementsResponse__Output>): grpc.ClientUnaryCall;
  ListStatements(argument: _fedcredit_v1_ListStatementsRequest, callback: grpc.requestCallback<_fedcredit_v1_ListStatementsResponse__Output>): grpc.ClientUnaryCall;
  listStatements(argument: _fedcredit_v1_ListStatementsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListStatementsResponse__Output>): grpc.ClientUnaryCall;
  listStatements(argument: _fedcredit_v1_ListStatementsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListStatementsResponse__Output>): grpc.ClientUnaryCall;
  listStatements(argument: _fedcredit_v1_ListStatementsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListStatementsResponse__Output>): grpc.ClientUnaryCall;
  listStatements(argument: _fedcredit_v1_ListStatementsRequest, callback: grpc.requestCallback<_fedcredit_v1_ListStatementsResponse__Output>): grpc.ClientUnaryCall;
  
  OrderCase(argument: _fedcredit_v1_CaseOrder, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  OrderCase(argument: _fedcredit_v1_CaseOrder, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  OrderCase(argument: _fedcredit_v1_CaseOrder, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  OrderCase(argument: _fedcredit_v1_CaseOrder, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  orderCase(argument: _fedcredit_v1_CaseOrder, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  orderCase(argument: _fedcredit_v1_CaseOrder, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  orderCase(argument: _fedcredit_v1_CaseOrder, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  orderCase(argument: _fedcredit_v1_CaseOrder, callback: grpc.requestCallback<_fedcredit_v1_Case__Output>): grpc.ClientUnaryCall;
  
  State(argument: _fedcredit_v1_ScoreStatement, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_TakenStatement__Output>): grpc.ClientUnaryCall;
  State(argument: _fedcredit_v1_ScoreStatement, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_TakenStatement__Output>): grpc.ClientUnaryCall;
  State(argument: _fedcredit_v1_ScoreStatement, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_TakenStatement__Output>): grpc.ClientUnaryCall;
  State(argument: _fedcredit_v1_ScoreStatement, callback: grpc.requestCallback<_fedcredit_v1_TakenStatement__Output>): grpc.ClientUnaryCall;
  state(argument: _fedcredit_v1_ScoreStatement, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_TakenStatement__Output>): grpc.ClientUnaryCall;
  state(argument: _fedcredit_v1_ScoreStatement, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_TakenStatement__Output>): grpc.ClientUnaryCall;
  state(argument: _fedcredit_v1_ScoreStatement, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_TakenStatement__Output>): grpc.ClientUnaryCall;
  state(argument: _fedcredit_v1_ScoreStatement, callback: grpc.requestCallback<_fedcredit_v1_TakenStatement__Output>): grpc.ClientUnaryCall;
  
  Withdraw(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  Withdraw(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  Withdraw(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  Withdraw(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  withdraw(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  withdraw(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  withdraw(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  withdraw(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_Agreement__Output>): grpc.ClientUnaryCall;
  
}

export interface ScoresHandlers extends grpc.UntypedServiceImplementation {
  Agree: grpc.handleUnaryCall<_fedcredit_v1_ConsentRequest__Output, _fedcredit_v1_Agreement>;
  
  GetCase: grpc.handleUnaryCall<_fedcredit_v1_CaseRequest__Output, _fedcredit_v1_Case>;
  
  ListCases: grpc.handleUnaryCall<_fedcredit_v1_ListCasesRequest__Output, _fedcredit_v1_ListCasesResponse>;
  
  ListStatements: grpc.handleUnaryCall<_fedcredit_v1_ListStatementsRequest__Output, _fedcredit_v1_ListStatementsResponse>;
  
  OrderCase: grpc.handleUnaryCall<_fedcredit_v1_CaseOrder__Output, _fedcredit_v1_Case>;
  
  State: grpc.handleUnaryCall<_fedcredit_v1_ScoreStatement__Output, _fedcredit_v1_TakenStatement>;
  
  Withdraw: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_Agreement>;
  
}

export interface ScoresDefinition extends grpc.ServiceDefinition {
  Agree: MethodDefinition<_fedcredit_v1_ConsentRequest, _fedcredit_v1_Agreement, _fedcredit_v1_ConsentRequest__Output, _fedcredit_v1_Agreement__Output>
  GetCase: MethodDefinition<_fedcredit_v1_CaseRequest, _fedcredit_v1_Case, _fedcredit_v1_CaseRequest__Output, _fedcredit_v1_Case__Output>
  ListCases: MethodDefinition<_fedcredit_v1_ListCasesRequest, _fedcredit_v1_ListCasesResponse, _fedcredit_v1_ListCasesRequest__Output, _fedcredit_v1_ListCasesResponse__Output>
  ListStatements: MethodDefinition<_fedcredit_v1_ListStatementsRequest, _fedcredit_v1_ListStatementsResponse, _fedcredit_v1_ListStatementsRequest__Output, _fedcredit_v1_ListStatementsResponse__Output>
  OrderCase: MethodDefinition<_fedcredit_v1_CaseOrder, _fedcredit_v1_Case, _fedcredit_v1_CaseOrder__Output, _fedcredit_v1_Case__Output>
  State: MethodDefinition<_fedcredit_v1_ScoreStatement, _fedcredit_v1_TakenStatement, _fedcredit_v1_ScoreStatement__Output, _fedcredit_v1_TakenStatement__Output>
  Withdraw: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_Agreement, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_Agreement__Output>
}
