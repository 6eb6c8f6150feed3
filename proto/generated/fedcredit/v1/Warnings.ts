// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { WarningList as _fedcredit_v1_WarningList, WarningList__Output as _fedcredit_v1_WarningList__Output } from '../../fedcredit/v1/WarningList.ts';
import type { WarningQuery as _fedcredit_v1_WarningQuery, WarningQuery__Output as _fedcredit_v1_WarningQuery__Output } from '../../fedcredit/v1/WarningQuery.ts';
import type { WarningReport as _fedcredit_v1_WarningReport, WarningReport__Output as _fedcredit_v1_WarningReport__Output } from '../../fedcredit/v1/WarningReport.ts';
import type { WarningReported as _fedcredit_v1_WarningReported, WarningReported__Output as _fedcredit_v1_WarningReported__Output } from '../../fedcredit/v1/WarningReported.ts';
import type { WarningTerms as _fedcredit_v1_WarningTerms, WarningTerms__Output as _fedcredit_v1_WarningTerms__Output } from '../../fedcredit/v1/WarningTerms.ts';
import type { WarningTermsRequest as _fedcredit_v1_WarningTermsRequest, WarningTermsRequest__Output as _fedcredit_v1_WarningTermsRequest__Output } from '../../fedcredit/v1/WarningTermsRequest.ts';

export interface WarningsClient extends grpc.Client {
  GetTerms(argument: _fedcredit_v1_WarningTermsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningTerms__Output>): grpc.ClientUnaryCall;
  GetTerms(argument: _fedcredit_v1_WarningTermsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_WarningTerms__Output>): grpc.ClientUnaryCall;
  GetTerms(argument: _fedcredit_v1_WarningTermsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningTerms__Output>): grpc.ClientUnaryCall;
  GetTerms(argument: _fedcredit_v1_WarningTermsRequest, callback: grpc.requestCallback<_fedcredit_v1_WarningTerms__Output>): grpc.ClientUnaryCall;
  getTerms(argument: _fedcredit_v1_WarningTermsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningTerms__Output>): grpc.ClientUnaryCall;
  getTerms(argument: _fedcredit_v1_WarningTermsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_WarningTerms__Output>): grpc.ClientUnaryCall;
  getTerms(argument: _fedcredit_v1_WarningTermsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningTerms__Output>): grpc.ClientUnaryCall;
  getTerms(argument: _fedcredit_v1_WarningTermsRequest, callback: grpc.requestCallback<_fedcredit_v1_WarningTerms__Output>): grpc.ClientUnaryCall;
  
  List(argument: _fedcredit_v1_WarningQuery, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningList__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_WarningQuery, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_WarningList__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_WarningQuery, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningList__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_WarningQuery, callback: grpc.requestCallback<_fedcredit_v1_WarningList__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_WarningQuery, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningList__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_WarningQuery, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_WarningList__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_WarningQuery, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningList__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_WarningQuery, callback: grpc.requestCallback<_fedcredit_v1_WarningList__Output>): grpc.ClientUnaryCall;
  
  Report(argument: _fedcredit_v1_WarningReport, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningReported__Output>): grpc.ClientUnaryCall;
  Report(argument: _fedcredit_v1_WarningReport, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_WarningReported__Output>): grpc.ClientUnaryCall;
  Report(argument: _fedcredit_v1_WarningReport, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningReported__Output>): grpc.ClientUnaryCall;
  Report(argument: _fedcredit_v1_WarningReport, callback: grpc.requestCallback<_fedcredit_v1_WarningReported__Output>): grpc.ClientUnaryCall;
  report(argument: _fedcredit_v1_WarningReport, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningReported__Output>): grpc.ClientUnaryCall;
  report(argument: _fedcredit_v1_WarningReport, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_WarningReported__Output>): grpc.ClientUnaryCall;
  report(argument: _fedcredit_v1_WarningReport, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_WarningReported__Output>): grpc.ClientUnaryCall;
  report(argument: _fedcredit_v1_WarningReport, callback: grpc.requestCallback<_fedcredit_v1_WarningReported__Output>): grpc.ClientUnaryCall;
  
}

export interface WarningsHandlers extends grpc.UntypedServiceImplementation {
  GetTerms: grpc.handleUnaryCall<_fedcredit_v1_WarningTermsRequest__Output, _fedcredit_v1_WarningTerms>;
  
  List: grpc.handleUnaryCall<_fedcredit_v1_WarningQuery__Output, _fedcredit_v1_WarningList>;
  
  Report: grpc.handleUnaryCall<_fedcredit_v1_WarningReport__Output, _fedcredit_v1_WarningReported>;
  
}

export interface WarningsDefinition extends grpc.ServiceDefinition {
  GetTerms: MethodDefinition<_fedcredit_v1_WarningTermsRequest, _fedcredit_v1_WarningTerms, _fedcredit_v1_WarningTermsRequest__Output, _fedcredit_v1_WarningTerms__Output>
  List: MethodDefinition<_fedcredit_v1_WarningQuery, _fedcredit_v1_WarningList, _fedcredit_v1_WarningQuery__Output, _fedcredit_v1_WarningList__Output>
  Report: MethodDefinition<_fedcredit_v1_WarningReport, _fedcredit_v1_WarningReported, _fedcredit_v1_WarningReport__Output, _fedcredit_v1_WarningReported__Output>
}
