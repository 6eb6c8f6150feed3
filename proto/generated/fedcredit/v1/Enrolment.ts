// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { EnrolRequest as _fedcredit_v1_EnrolRequest, EnrolRequest__Output as _fedcredit_v1_EnrolRequest__Output } from '../../fedcredit/v1/EnrolRequest.ts';
import type { EnrolResponse as _fedcredit_v1_EnrolResponse, EnrolResponse__Output as _fedcredit_v1_EnrolResponse__Output } from '../../fedcredit/v1/EnrolResponse.ts';

export interface EnrolmentClient extends grpc.Client {
  Enrol(argument: _fedcredit_v1_EnrolRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  Enrol(argument: _fedcredit_v1_EnrolRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  Enrol(argument: _fedcredit_v1_EnrolRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  Enrol(argument: _fedcredit_v1_EnrolRequest, callback: grpc.requestCallback<_fedcredit_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  enrol(argument: _fedcredit_v1_EnrolRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  enrol(argument: _fedcredit_v1_EnrolRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  enrol(argument: _fedcredit_v1_EnrolRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  enrol(argument: _fedcredit_v1_EnrolRequest, callback: grpc.requestCallback<_fedcredit_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface EnrolmentHandlers extends grpc.UntypedServiceImplementation {
  Enrol: grpc.handleUnaryCall<_fedcredit_v1_EnrolRequest__Output, _fedcredit_v1_EnrolResponse>;
  
}

export interface EnrolmentDefinition extends grpc.ServiceDefinition {
  Enrol: MethodDefinition<_fedcredit_v1_EnrolRequest, _fedcredit_v1_EnrolResponse, _fedcredit_v1_EnrolRequest__Output, _fedcredit_v1_EnrolResponse__Output>
}
