// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CoordinatorMessage as _fedcredit_v1_CoordinatorMessage, CoordinatorMessage__Output as _fedcredit_v1_CoordinatorMessage__Output } from '../../fedcredit/v1/CoordinatorMessage.ts';
import type { PartyMessage as _fedcredit_v1_PartyMessage, PartyMessage__Output as _fedcredit_v1_PartyMessage__Output } from '../../fedcredit/v1/PartyMessage.ts';

export interface RoundsClient extends grpc.Client {
  Participate(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_fedcredit_v1_PartyMessage, _fedcredit_v1_CoordinatorMessage__Output>;
  Participate(options?: grpc.CallOptions): grpc.ClientDuplexStream<_fedcredit_v1_PartyMessage, _fedcredit_v1_CoordinatorMessage__Output>;
  participate(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_fedcredit_v1_PartyMessage, _fedcredit_v1_CoordinatorMessage__Output>;
  participate(options?: grpc.CallOptions): grpc.ClientDuplexStream<_fedcredit_v1_PartyMessage, _fedcredit_v1_CoordinatorMessage__Output>;
  
}

export interface RoundsHandlers extends grpc.UntypedServiceImplementation {
  Participate: grpc.handleBidiStreamingCall<_fedcredit_v1_PartyMessage__Output, _fedcredit_v1_CoordinatorMessage>;
  
}

export interface RoundsDefinition extends grpc.ServiceDefinition {
  Participate: MethodDefinition<_fedcredit_v1_PartyMessage, _fedcredit_v1_CoordinatorMessage, _fedcredit_v1_PartyMessage__Output, _fedcredit_v1_CoordinatorMessage__Output>
}
