// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ListModelsRequest as _fedcredit_v1_ListModelsRequest, ListModelsRequest__Output as _fedcredit_v1_ListModelsRequest__Output } from '../../fedcredit/v1/ListModelsRequest.ts';
import type { ListModelsResponse as _fedcredit_v1_ListModelsResponse, ListModelsResponse__Output as _fedcredit_v1_ListModelsResponse__Output } from '../../fedcredit/v1/ListModelsResponse.ts';
import type { ModelOrder as _fedcredit_v1_ModelOrder, ModelOrder__Output as _fedcredit_v1_ModelOrder__Output } from '../../fedcredit/v1/ModelOrder.ts';

export interface RegistryClient extends grpc.Client {
  List(argument: _fedcredit_v1_ListModelsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_ListModelsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_ListModelsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_ListModelsRequest, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_ListModelsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_ListModelsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_ListModelsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_ListModelsRequest, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  
  Order(argument: _fedcredit_v1_ModelOrder, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  Order(argument: _fedcredit_v1_ModelOrder, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  Order(argument: _fedcredit_v1_ModelOrder, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  Order(argument: _fedcredit_v1_ModelOrder, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  order(argument: _fedcredit_v1_ModelOrder, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  order(argument: _fedcredit_v1_ModelOrder, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  order(argument: _fedcredit_v1_ModelOrder, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  order(argument: _fedcredit_v1_ModelOrder, callback: grpc.requestCallback<_fedcredit_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface RegistryHandlers extends grpc.UntypedServiceImplementation {
  List: grpc.handleUnaryCall<_fedcredit_v1_ListModelsRequest__Output, _fedcredit_v1_ListModelsResponse>;
  
  Order: grpc.handleUnaryCall<_fedcredit_v1_ModelOrder__Output, _fedcredit_v1_ListModelsResponse>;
  
}

export interface RegistryDefinition extends grpc.ServiceDefinition {
  List: MethodDefinition<_fedcredit_v1_ListModelsRequest, _fedcredit_v1_ListModelsResponse, _fedcredit_v1_ListModelsRequest__Output, _fedcredit_v1_ListModelsResponse__Output>
  Order: MethodDefinition<_fedcredit_v1_ModelOrder, _fedcredit_v1_ListModelsResponse, _fedcredit_v1_ModelOrder__Output, _fedcredit_v1_ListModelsResponse__Output>
}
