// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { HealthRequest as _fedcredit_v1_HealthRequest, HealthRequest__Output as _fedcredit_v1_HealthRequest__Output } from '../../fedcredit/v1/HealthRequest.ts';
import type { HealthResponse as _fedcredit_v1_HealthResponse, HealthResponse__Output as _fedcredit_v1_HealthResponse__Output } from '../../fedcredit/v1/HealthResponse.ts';

export interface HealthClient extends grpc.Client {
  Check(argument: _fedcredit_v1_HealthRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_HealthResponse__Output>): grpc.ClientUnaryCall;
  Check(argument: _fedcredit_v1_HealthRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_HealthResponse__Output>): grpc.ClientUnaryCall;
  Check(argument: _fedcredit_v1_HealthRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_HealthResponse__Output>): grpc.ClientUnaryCall;
  Check(argument: _fedcredit_v1_HealthRequest, callback: grpc.requestCallback<_fedcredit_v1_HealthResponse__Output>): grpc.ClientUnaryCall;
  check(argument: _fedcredit_v1_HealthRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_HealthResponse__Output>): grpc.ClientUnaryCall;
  check(argument: _fedcredit_v1_HealthRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_HealthResponse__Output>): grpc.ClientUnaryCall;
  check(argument: _fedcredit_v1_HealthRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_HealthResponse__Output>): grpc.ClientUnaryCall;
  check(argument: _fedcredit_v1_HealthRequest, callback: grpc.requestCallback<_fedcredit_v1_HealthResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface HealthHandlers extends grpc.UntypedServiceImplementation {
  Check: grpc.handleUnaryCall<_fedcredit_v1_HealthRequest__Output, _fedcredit_v1_HealthResponse>;
  
}

export interface HealthDefinition extends grpc.ServiceDefinition {
  Check: MethodDefinition<_fedcredit_v1_HealthRequest, _fedcredit_v1_HealthResponse, _fedcredit_v1_HealthRequest__Output, _fedcredit_v1_HealthResponse__Output>
}
