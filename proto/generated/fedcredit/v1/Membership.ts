// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AdmitRequest as _fedcredit_v1_AdmitRequest, AdmitRequest__Output as _fedcredit_v1_AdmitRequest__Output } from '../../fedcredit/v1/AdmitRequest.ts';
import type { CreateTokenRequest as _fedcredit_v1_CreateTokenRequest, CreateTokenRequest__Output as _fedcredit_v1_CreateTokenRequest__Output } from '../../fedcredit/v1/CreateTokenRequest.ts';
import type { CreateTokenResponse as _fedcredit_v1_CreateTokenResponse, CreateTokenResponse__Output as _fedcredit_v1_CreateTokenResponse__Output } from '../../fedcredit/v1/CreateTokenResponse.ts';
import type { GetRosterRequest as _fedcredit_v1_GetRosterRequest, GetRosterRequest__Output as _fedcredit_v1_GetRosterRequest__Output } from '../../fedcredit/v1/GetRosterRequest.ts';
import type { Roster as _fedcredit_v1_Roster, Roster__Output as _fedcredit_v1_Roster__Output } from '../../fedcredit/v1/Roster.ts';

export interface MembershipClient extends grpc.Client {
  Admit(argument: _fedcredit_v1_AdmitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Admit(argument: _fedcredit_v1_AdmitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Admit(argument: _fedcredit_v1_AdmitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Admit(argument: _fedcredit_v1_AdmitRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  admit(argument: _fedcredit_v1_AdmitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  admit(argument: _fedcredit_v1_AdmitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  admit(argument: _fedcredit_v1_AdmitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  admit(argument: _fedcredit_v1_AdmitRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
  CountersignRoster(argument: _fedcredit_v1_Roster, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  CountersignRoster(argument: _fedcredit_v1_Roster, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  CountersignRoster(argument: _fedcredit_v1_Roster, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  CountersignRoster(argument: _fedcredit_v1_Roster, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  countersignRoster(argument: _fedcredit_v1_Roster, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  countersignRoster(argument: _fedcredit_v1_Roster, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  countersignRoster(argument: _fedcredit_v1_Roster, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  countersignRoster(argument: _fedcredit_v1_Roster, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
  CreateToken(argument: _fedcredit_v1_CreateTokenRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_CreateTokenResponse__Output>): grpc.ClientUnaryCall;
  CreateToken(argument: _fedcredit_v1_CreateTokenRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_CreateTokenResponse__Output>): grpc.ClientUnaryCall;
  CreateToken(argument: _fedcredit_v1_CreateTokenRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_CreateTokenResponse__Output>): grpc.ClientUnaryCall;
  CreateToken(argument: _fedcredit_v1_CreateTokenRequest, callback: grpc.requestCallback<_fedcredit_v1_CreateTokenResponse__Output>): grpc.ClientUnaryCall;
  createToken(argument: _fedcredit_v1_CreateTokenRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_CreateTokenResponse__Output>): grpc.ClientUnaryCall;
  createToken(argument: _fedcredit_v1_CreateTokenRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_CreateTokenResponse__Output>): grpc.ClientUnaryCall;
  createToken(argument: _fedcredit_v1_CreateTokenRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_CreateTokenResponse__Output>): grpc.ClientUnaryCall;
  createToken(argument: _fedcredit_v1_CreateTokenRequest, callback: grpc.requestCallback<_fedcredit_v1_CreateTokenResponse__Output>): grpc.ClientUnaryCall;
  
  GetPendingRoster(argument: _fedcredit_v1_GetRosterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  GetPendingRoster(argument: _fedcredit_v1_GetRosterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  GetPendingRoster(argument: _fedcredit_v1_GetRosterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  GetPendingRoster(argument: _fedcredit_v1_GetRosterRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  getPendingRoster(argument: _fedcredit_v1_GetRosterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  getPendingRoster(argument: _fedcredit_v1_GetRosterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  getPendingRoster(argument: _fedcredit_v1_GetRosterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  getPendingRoster(argument: _fedcredit_v1_GetRosterRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
  GetRoster(argument: _fedcredit_v1_GetRosterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  GetRoster(argument: _fedcredit_v1_GetRosterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  GetRoster(argument: _fedcredit_v1_GetRosterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  GetRoster(argument: _fedcredit_v1_GetRosterRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  getRoster(argument: _fedcredit_v1_GetRosterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  getRoster(argument: _fedcredit_v1_GetRosterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  getRoster(argument: _fedcredit_v1_GetRosterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  getRoster(argument: _fedcredit_v1_GetRosterRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
}

export interface MembershipHandlers extends grpc.UntypedServiceImplementation {
  Admit: grpc.handleUnaryCall<_fedcredit_v1_AdmitRequest__Output, _fedcredit_v1_Roster>;
  
  CountersignRoster: grpc.handleUnaryCall<_fedcredit_v1_Roster__Output, _fedcredit_v1_Roster>;
  
  CreateToken: grpc.handleUnaryCall<_fedcredit_v1_CreateTokenRequest__Output, _fedcredit_v1_CreateTokenResponse>;
  
  GetPendingRoster: grpc.handleUnaryCall<_fedcredit_v1_GetRosterRequest__Output, _fedcredit_v1_Roster>;
  
  GetRoster: grpc.handleUnaryCall<_fedcredit_v1_GetRosterRequest__Output, _fedcredit_v1_Roster>;
  
}

export interface MembershipDefinition extends grpc.ServiceDefinition {
  Admit: MethodDefinition<_fedcredit_v1_AdmitRequest, _fedcredit_v1_Roster, _fedcredit_v1_AdmitRequest__Output, _fedcredit_v1_Roster__Output>
  CountersignRoster: MethodDefinition<_fedcredit_v1_Roster, _fedcredit_v1_Roster, _fedcredit_v1_Roster__Output, _fedcredit_v1_Roster__Output>
  CreateToken: MethodDefinition<_fedcredit_v1_CreateTokenRequest, _fedcredit_v1_CreateTokenResponse, _fedcredit_v1_CreateTokenRequest__Output, _fedcredit_v1_CreateTokenResponse__Output>
  GetPendingRoster: MethodDefinition<_fedcredit_v1_GetRosterRequest, _fedcredit_v1_Roster, _fedcredit_v1_GetRosterRequest__Output, _fedcredit_v1_Roster__Output>
  GetRoster: MethodDefinition<_fedcredit_v1_GetRosterRequest, _fedcredit_v1_Roster, _fedcredit_v1_GetRosterRequest__Output, _fedcredit_v1_Roster__Output>
}
