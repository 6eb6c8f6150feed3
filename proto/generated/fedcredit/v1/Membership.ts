// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AddOperatorRequest as _fedcredit_v1_AddOperatorRequest, AddOperatorRequest__Output as _fedcredit_v1_AddOperatorRequest__Output } from '../../fedcredit/v1/AddOperatorRequest.ts';
import type { AddUserRequest as _fedcredit_v1_AddUserRequest, AddUserRequest__Output as _fedcredit_v1_AddUserRequest__Output } from '../../fedcredit/v1/AddUserRequest.ts';
import type { AddUserResponse as _fedcredit_v1_AddUserResponse, AddUserResponse__Output as _fedcredit_v1_AddUserResponse__Output } from '../../fedcredit/v1/AddUserResponse.ts';
import type { AdmitRequest as _fedcredit_v1_AdmitRequest, AdmitRequest__Output as _fedcredit_v1_AdmitRequest__Output } from '../../fedcredit/v1/AdmitRequest.ts';
import type { CreateTokenRequest as _fedcredit_v1_CreateTokenRequest, CreateTokenRequest__Output as _fedcredit_v1_CreateTokenRequest__Output } from '../../fedcredit/v1/CreateTokenRequest.ts';
import type { CreateTokenResponse as _fedcredit_v1_CreateTokenResponse, CreateTokenResponse__Output as _fedcredit_v1_CreateTokenResponse__Output } from '../../fedcredit/v1/CreateTokenResponse.ts';
import type { GetRosterRequest as _fedcredit_v1_GetRosterRequest, GetRosterRequest__Output as _fedcredit_v1_GetRosterRequest__Output } from '../../fedcredit/v1/GetRosterRequest.ts';
import type { ListEnterprisesRequest as _fedcredit_v1_ListEnterprisesRequest, ListEnterprisesRequest__Output as _fedcredit_v1_ListEnterprisesRequest__Output } from '../../fedcredit/v1/ListEnterprisesRequest.ts';
import type { ListEnterprisesResponse as _fedcredit_v1_ListEnterprisesResponse, ListEnterprisesResponse__Output as _fedcredit_v1_ListEnterprisesResponse__Output } from '../../fedcredit/v1/ListEnterprisesResponse.ts';
import type { ListOperatorsRequest as _fedcredit_v1_ListOperatorsRequest, ListOperatorsRequest__Output as _fedcredit_v1_ListOperatorsRequest__Output } from '../../fedcredit/v1/ListOperatorsRequest.ts';
import type { ListOperatorsResponse as _fedcredit_v1_ListOperatorsResponse, ListOperatorsResponse__Output as _fedcredit_v1_ListOperatorsResponse__Output } from '../../fedcredit/v1/ListOperatorsResponse.ts';
import type { ListUsersRequest as _fedcredit_v1_ListUsersRequest, ListUsersRequest__Output as _fedcredit_v1_ListUsersRequest__Output } from '../../fedcredit/v1/ListUsersRequest.ts';
import type { ListUsersResponse as _fedcredit_v1_ListUsersResponse, ListUsersResponse__Output as _fedcredit_v1_ListUsersResponse__Output } from '../../fedcredit/v1/ListUsersResponse.ts';
import type { RecoverRequest as _fedcredit_v1_RecoverRequest, RecoverRequest__Output as _fedcredit_v1_RecoverRequest__Output } from '../../fedcredit/v1/RecoverRequest.ts';
import type { RemoveOperatorRequest as _fedcredit_v1_RemoveOperatorRequest, RemoveOperatorRequest__Output as _fedcredit_v1_RemoveOperatorRequest__Output } from '../../fedcredit/v1/RemoveOperatorRequest.ts';
import type { RemoveRequest as _fedcredit_v1_RemoveRequest, RemoveRequest__Output as _fedcredit_v1_RemoveRequest__Output } from '../../fedcredit/v1/RemoveRequest.ts';
import type { RenewAuthorityRequest as _fedcredit_v1_RenewAuthorityRequest, RenewAuthorityRequest__Output as _fedcredit_v1_RenewAuthorityRequest__Output } from '../../fedcredit/v1/RenewAuthorityRequest.ts';
import type { RenewAuthorityResponse as _fedcredit_v1_RenewAuthorityResponse, RenewAuthorityResponse__Output as _fedcredit_v1_RenewAuthorityResponse__Output } from '../../fedcredit/v1/RenewAuthorityResponse.ts';
import type { RenewRequest as _fedcredit_v1_RenewRequest, RenewRequest__Output as _fedcredit_v1_RenewRequest__Output } from '../../fedcredit/v1/RenewRequest.ts';
import type { RenewResponse as _fedcredit_v1_RenewResponse, RenewResponse__Output as _fedcredit_v1_RenewResponse__Output } from '../../fedcredit/v1/RenewResponse.ts';
import type { RetireRequest as _fedcredit_v1_RetireRequest, RetireRequest__Output as _fedcredit_v1_RetireRequest__Output } from '../../fedcredit/v1/RetireRequest.ts';
import type { RevokeRequest as _fedcredit_v1_RevokeRequest, RevokeRequest__Output as _fedcredit_v1_RevokeRequest__Output } from '../../fedcredit/v1/RevokeRequest.ts';
import type { RevokeResponse as _fedcredit_v1_RevokeResponse, RevokeResponse__Output as _fedcredit_v1_RevokeResponse__Output } from '../../fedcredit/v1/RevokeResponse.ts';
import type { Roster as _fedcredit_v1_Roster, Roster__Output as _fedcredit_v1_Roster__Output } from '../../fedcredit/v1/Roster.ts';
import type { RotateBankKeyRequest as _fedcredit_v1_RotateBankKeyRequest, RotateBankKeyRequest__Output as _fedcredit_v1_RotateBankKeyRequest__Output } from '../../fedcredit/v1/RotateBankKeyRequest.ts';
import type { SuccessionRequest as _fedcredit_v1_SuccessionRequest, SuccessionRequest__Output as _fedcredit_v1_SuccessionRequest__Output } from '../../fedcredit/v1/SuccessionRequest.ts';
import type { UserRequest as _fedcredit_v1_UserRequest, UserRequest__Output as _fedcredit_v1_UserRequest__Output } from '../../fedcredit/v1/UserRequest.ts';
import type { UserResponse as _fedcredit_v1_UserResponse, UserResponse__Output as _fedcredit_v1_UserResponse__Output } from '../../fedcredit/v1/UserResponse.ts';

export interface MembershipClient extends grpc.Client {
  AddOperator(argument: _fedcredit_v1_AddOperatorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  AddOperator(argument: _fedcredit_v1_AddOperatorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  AddOperator(argument: _fedcredit_v1_AddOperatorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  AddOperator(argument: _fedcredit_v1_AddOperatorRequest, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  addOperator(argument: _fedcredit_v1_AddOperatorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  addOperator(argument: _fedcredit_v1_AddOperatorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  addOperator(argument: _fedcredit_v1_AddOperatorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  addOperator(argument: _fedcredit_v1_AddOperatorRequest, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  
  AddUser(argument: _fedcredit_v1_AddUserRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_AddUserResponse__Output>): grpc.ClientUnaryCall;
  AddUser(argument: _fedcredit_v1_AddUserRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_AddUserResponse__Output>): grpc.ClientUnaryCall;
  AddUser(argument: _fedcredit_v1_AddUserRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_AddUserResponse__Output>): grpc.ClientUnaryCall;
  AddUser(argument: _fedcredit_v1_AddUserRequest, callback: grpc.requestCallback<_fedcredit_v1_AddUserResponse__Output>): grpc.ClientUnaryCall;
  addUser(argument: _fedcredit_v1_AddUserRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_AddUserResponse__Output>): grpc.ClientUnaryCall;
  addUser(argument: _fedcredit_v1_AddUserRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_AddUserResponse__Output>): grpc.ClientUnaryCall;
  addUser(argument: _fedcredit_v1_AddUserRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_AddUserResponse__Output>): grpc.ClientUnaryCall;
  addUser(argument: _fedcredit_v1_AddUserRequest, callback: grpc.requestCallback<_fedcredit_v1_AddUserResponse__Output>): grpc.ClientUnaryCall;
  
  Admit(argument: _fedcredit_v1_AdmitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Admit(argument: _fedcredit_v1_AdmitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Admit(argument: _fedcredit_v1_AdmitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Admit(argument: _fedcredit_v1_AdmitRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  admit(argument: _fedcredit_v1_AdmitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  admit(argument: _fedcredit_v1_AdmitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  admit(argument: _fedcredit_v1_AdmitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  admit(argument: _fedcredit_v1_AdmitRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
  ChangeRole(argument: _fedcredit_v1_UserRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  ChangeRole(argument: _fedcredit_v1_UserRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  ChangeRole(argument: _fedcredit_v1_UserRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  ChangeRole(argument: _fedcredit_v1_UserRequest, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  changeRole(argument: _fedcredit_v1_UserRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  changeRole(argument: _fedcredit_v1_UserRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  changeRole(argument: _fedcredit_v1_UserRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  changeRole(argument: _fedcredit_v1_UserRequest, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  
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
  
  ListEnterprises(argument: _fedcredit_v1_ListEnterprisesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListEnterprisesResponse__Output>): grpc.ClientUnaryCall;
  ListEnterprises(argument: _fedcredit_v1_ListEnterprisesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListEnterprisesResponse__Output>): grpc.ClientUnaryCall;
  ListEnterprises(argument: _fedcredit_v1_ListEnterprisesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListEnterprisesResponse__Output>): grpc.ClientUnaryCall;
  ListEnterprises(argument: _fedcredit_v1_ListEnterprisesRequest, callback: grpc.requestCallback<_fedcredit_v1_ListEnterprisesResponse__Output>): grpc.ClientUnaryCall;
  listEnterprises(argument: _fedcredit_v1_ListEnterprisesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListEnterprisesResponse__Output>): grpc.ClientUnaryCall;
  listEnterprises(argument: _fedcredit_v1_ListEnterprisesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListEnterprisesResponse__Output>): grpc.ClientUnaryCall;
  listEnterprises(argument: _fedcredit_v1_ListEnterprisesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListEnterprisesResponse__Output>): grpc.ClientUnaryCall;
  listEnterprises(argument: _fedcredit_v1_ListEnterprisesRequest, callback: grpc.requestCallback<_fedcredit_v1_ListEnterprisesResponse__Output>): grpc.ClientUnaryCall;
  
  ListOperators(argument: _fedcredit_v1_ListOperatorsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListOperatorsResponse__Output>): grpc.ClientUnaryCall;
  ListOperators(argument: _fedcredit_v1_ListOperatorsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListOperatorsResponse__Output>): grpc.ClientUnaryCall;
  ListOperators(argument: _fedcredit_v1_ListOperatorsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListOperatorsResponse__Output>): grpc.ClientUnaryCall;
  ListOperators(argument: _fedcredit_v1_ListOperatorsRequest, callback: grpc.requestCallback<_fedcredit_v1_ListOperatorsResponse__Output>): grpc.ClientUnaryCall;
  listOperators(argument: _fedcredit_v1_ListOperatorsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListOperatorsResponse__Output>): grpc.ClientUnaryCall;
  listOperators(argument: _fedcredit_v1_ListOperatorsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListOperatorsResponse__Output>): grpc.ClientUnaryCall;
  listOperators(argument: _fedcredit_v1_ListOperatorsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListOperatorsResponse__Output>): grpc.ClientUnaryCall;
  listOperators(argument: _fedcredit_v1_ListOperatorsRequest, callback: grpc.requestCallback<_fedcredit_v1_ListOperatorsResponse__Output>): grpc.ClientUnaryCall;
  
  ListUsers(argument: _fedcredit_v1_ListUsersRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListUsersResponse__Output>): grpc.ClientUnaryCall;
  ListUsers(argument: _fedcredit_v1_ListUsersRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListUsersResponse__Output>): grpc.ClientUnaryCall;
  ListUsers(argument: _fedcredit_v1_ListUsersRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListUsersResponse__Output>): grpc.ClientUnaryCall;
  ListUsers(argument: _fedcredit_v1_ListUsersRequest, callback: grpc.requestCallback<_fedcredit_v1_ListUsersResponse__Output>): grpc.ClientUnaryCall;
  listUsers(argument: _fedcredit_v1_ListUsersRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListUsersResponse__Output>): grpc.ClientUnaryCall;
  listUsers(argument: _fedcredit_v1_ListUsersRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListUsersResponse__Output>): grpc.ClientUnaryCall;
  listUsers(argument: _fedcredit_v1_ListUsersRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListUsersResponse__Output>): grpc.ClientUnaryCall;
  listUsers(argument: _fedcredit_v1_ListUsersRequest, callback: grpc.requestCallback<_fedcredit_v1_ListUsersResponse__Output>): grpc.ClientUnaryCall;
  
  ProposeSuccession(argument: _fedcredit_v1_SuccessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  ProposeSuccession(argument: _fedcredit_v1_SuccessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  ProposeSuccession(argument: _fedcredit_v1_SuccessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  ProposeSuccession(argument: _fedcredit_v1_SuccessionRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  proposeSuccession(argument: _fedcredit_v1_SuccessionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  proposeSuccession(argument: _fedcredit_v1_SuccessionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  proposeSuccession(argument: _fedcredit_v1_SuccessionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  proposeSuccession(argument: _fedcredit_v1_SuccessionRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
  Recover(argument: _fedcredit_v1_RecoverRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Recover(argument: _fedcredit_v1_RecoverRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Recover(argument: _fedcredit_v1_RecoverRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Recover(argument: _fedcredit_v1_RecoverRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  recover(argument: _fedcredit_v1_RecoverRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  recover(argument: _fedcredit_v1_RecoverRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  recover(argument: _fedcredit_v1_RecoverRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  recover(argument: _fedcredit_v1_RecoverRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
  Remove(argument: _fedcredit_v1_RemoveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Remove(argument: _fedcredit_v1_RemoveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Remove(argument: _fedcredit_v1_RemoveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  Remove(argument: _fedcredit_v1_RemoveRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  remove(argument: _fedcredit_v1_RemoveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  remove(argument: _fedcredit_v1_RemoveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  remove(argument: _fedcredit_v1_RemoveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  remove(argument: _fedcredit_v1_RemoveRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
  RemoveOperator(argument: _fedcredit_v1_RemoveOperatorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  RemoveOperator(argument: _fedcredit_v1_RemoveOperatorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  RemoveOperator(argument: _fedcredit_v1_RemoveOperatorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  RemoveOperator(argument: _fedcredit_v1_RemoveOperatorRequest, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  removeOperator(argument: _fedcredit_v1_RemoveOperatorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  removeOperator(argument: _fedcredit_v1_RemoveOperatorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  removeOperator(argument: _fedcredit_v1_RemoveOperatorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  removeOperator(argument: _fedcredit_v1_RemoveOperatorRequest, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  
  RemoveUser(argument: _fedcredit_v1_UserRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  RemoveUser(argument: _fedcredit_v1_UserRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  RemoveUser(argument: _fedcredit_v1_UserRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  RemoveUser(argument: _fedcredit_v1_UserRequest, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  removeUser(argument: _fedcredit_v1_UserRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  removeUser(argument: _fedcredit_v1_UserRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  removeUser(argument: _fedcredit_v1_UserRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  removeUser(argument: _fedcredit_v1_UserRequest, callback: grpc.requestCallback<_fedcredit_v1_UserResponse__Output>): grpc.ClientUnaryCall;
  
  RenewAuthority(argument: _fedcredit_v1_RenewAuthorityRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewAuthorityResponse__Output>): grpc.ClientUnaryCall;
  RenewAuthority(argument: _fedcredit_v1_RenewAuthorityRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RenewAuthorityResponse__Output>): grpc.ClientUnaryCall;
  RenewAuthority(argument: _fedcredit_v1_RenewAuthorityRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewAuthorityResponse__Output>): grpc.ClientUnaryCall;
  RenewAuthority(argument: _fedcredit_v1_RenewAuthorityRequest, callback: grpc.requestCallback<_fedcredit_v1_RenewAuthorityResponse__Output>): grpc.ClientUnaryCall;
  renewAuthority(argument: _fedcredit_v1_RenewAuthorityRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewAuthorityResponse__Output>): grpc.ClientUnaryCall;
  renewAuthority(argument: _fedcredit_v1_RenewAuthorityRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RenewAuthorityResponse__Output>): grpc.ClientUnaryCall;
  renewAuthority(argument: _fedcredit_v1_RenewAuthorityRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewAuthorityResponse__Output>): grpc.ClientUnaryCall;
  renewAuthority(argument: _fedcredit_v1_RenewAuthorityRequest, callback: grpc.requestCallback<_fedcredit_v1_RenewAuthorityResponse__Output>): grpc.ClientUnaryCall;
  
  RenewCertificate(argument: _fedcredit_v1_RenewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _fedcredit_v1_RenewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _fedcredit_v1_RenewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _fedcredit_v1_RenewRequest, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _fedcredit_v1_RenewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _fedcredit_v1_RenewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _fedcredit_v1_RenewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _fedcredit_v1_RenewRequest, callback: grpc.requestCallback<_fedcredit_v1_RenewResponse__Output>): grpc.ClientUnaryCall;
  
  RetireCertificates(argument: _fedcredit_v1_RetireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  RetireCertificates(argument: _fedcredit_v1_RetireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  RetireCertificates(argument: _fedcredit_v1_RetireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  RetireCertificates(argument: _fedcredit_v1_RetireRequest, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  retireCertificates(argument: _fedcredit_v1_RetireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  retireCertificates(argument: _fedcredit_v1_RetireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  retireCertificates(argument: _fedcredit_v1_RetireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  retireCertificates(argument: _fedcredit_v1_RetireRequest, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  
  Revoke(argument: _fedcredit_v1_RevokeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  Revoke(argument: _fedcredit_v1_RevokeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  Revoke(argument: _fedcredit_v1_RevokeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  Revoke(argument: _fedcredit_v1_RevokeRequest, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  revoke(argument: _fedcredit_v1_RevokeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  revoke(argument: _fedcredit_v1_RevokeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  revoke(argument: _fedcredit_v1_RevokeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  revoke(argument: _fedcredit_v1_RevokeRequest, callback: grpc.requestCallback<_fedcredit_v1_RevokeResponse__Output>): grpc.ClientUnaryCall;
  
  RotateBankKey(argument: _fedcredit_v1_RotateBankKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  RotateBankKey(argument: _fedcredit_v1_RotateBankKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  RotateBankKey(argument: _fedcredit_v1_RotateBankKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  RotateBankKey(argument: _fedcredit_v1_RotateBankKeyRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  rotateBankKey(argument: _fedcredit_v1_RotateBankKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  rotateBankKey(argument: _fedcredit_v1_RotateBankKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  rotateBankKey(argument: _fedcredit_v1_RotateBankKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  rotateBankKey(argument: _fedcredit_v1_RotateBankKeyRequest, callback: grpc.requestCallback<_fedcredit_v1_Roster__Output>): grpc.ClientUnaryCall;
  
}

export interface MembershipHandlers extends grpc.UntypedServiceImplementation {
  AddOperator: grpc.handleUnaryCall<_fedcredit_v1_AddOperatorRequest__Output, _fedcredit_v1_RenewResponse>;
  
  AddUser: grpc.handleUnaryCall<_fedcredit_v1_AddUserRequest__Output, _fedcredit_v1_AddUserResponse>;
  
  Admit: grpc.handleUnaryCall<_fedcredit_v1_AdmitRequest__Output, _fedcredit_v1_Roster>;
  
  ChangeRole: grpc.handleUnaryCall<_fedcredit_v1_UserRequest__Output, _fedcredit_v1_UserResponse>;
  
  CountersignRoster: grpc.handleUnaryCall<_fedcredit_v1_Roster__Output, _fedcredit_v1_Roster>;
  
  CreateToken: grpc.handleUnaryCall<_fedcredit_v1_CreateTokenRequest__Output, _fedcredit_v1_CreateTokenResponse>;
  
  GetPendingRoster: grpc.handleUnaryCall<_fedcredit_v1_GetRosterRequest__Output, _fedcredit_v1_Roster>;
  
  GetRoster: grpc.handleUnaryCall<_fedcredit_v1_GetRosterRequest__Output, _fedcredit_v1_Roster>;
  
  ListEnterprises: grpc.handleUnaryCall<_fedcredit_v1_ListEnterprisesRequest__Output, _fedcredit_v1_ListEnterprisesResponse>;
  
  ListOperators: grpc.handleUnaryCall<_fedcredit_v1_ListOperatorsRequest__Output, _fedcredit_v1_ListOperatorsResponse>;
  
  ListUsers: grpc.handleUnaryCall<_fedcredit_v1_ListUsersRequest__Output, _fedcredit_v1_ListUsersResponse>;
  
  ProposeSuccession: grpc.handleUnaryCall<_fedcredit_v1_SuccessionRequest__Output, _fedcredit_v1_Roster>;
  
  Recover: grpc.handleUnaryCall<_fedcredit_v1_RecoverRequest__Output, _fedcredit_v1_Roster>;
  
  Remove: grpc.handleUnaryCall<_fedcredit_v1_RemoveRequest__Output, _fedcredit_v1_Roster>;
  
  RemoveOperator: grpc.handleUnaryCall<_fedcredit_v1_RemoveOperatorRequest__Output, _fedcredit_v1_RevokeResponse>;
  
  RemoveUser: grpc.handleUnaryCall<_fedcredit_v1_UserRequest__Output, _fedcredit_v1_UserResponse>;
  
  RenewAuthority: grpc.handleUnaryCall<_fedcredit_v1_RenewAuthorityRequest__Output, _fedcredit_v1_RenewAuthorityResponse>;
  
  RenewCertificate: grpc.handleUnaryCall<_fedcredit_v1_RenewRequest__Output, _fedcredit_v1_RenewResponse>;
  
  RetireCertificates: grpc.handleUnaryCall<_fedcredit_v1_RetireRequest__Output, _fedcredit_v1_RevokeResponse>;
  
  Revoke: grpc.handleUnaryCall<_fedcredit_v1_RevokeRequest__Output, _fedcredit_v1_RevokeResponse>;
  
  RotateBankKey: grpc.handleUnaryCall<_fedcredit_v1_RotateBankKeyRequest__Output, _fedcredit_v1_Roster>;
  
}

export interface MembershipDefinition extends grpc.ServiceDefinition {
  AddOperator: MethodDefinition<_fedcredit_v1_AddOperatorRequest, _fedcredit_v1_RenewResponse, _fedcredit_v1_AddOperatorRequest__Output, _fedcredit_v1_RenewResponse__Output>
  AddUser: MethodDefinition<_fedcredit_v1_AddUserRequest, _fedcredit_v1_AddUserResponse, _fedcredit_v1_AddUserRequest__Output, _fedcredit_v1_AddUserResponse__Output>
  Admit: MethodDefinition<_fedcredit_v1_AdmitRequest, _fedcredit_v1_Roster, _fedcredit_v1_AdmitRequest__Output, _fedcredit_v1_Roster__Output>
  ChangeRole: MethodDefinition<_fedcredit_v1_UserRequest, _fedcredit_v1_UserResponse, _fedcredit_v1_UserRequest__Output, _fedcredit_v1_UserResponse__Output>
  CountersignRoster: MethodDefinition<_fedcredit_v1_Roster, _fedcredit_v1_Roster, _fedcredit_v1_Roster__Output, _fedcredit_v1_Roster__Output>
  CreateToken: MethodDefinition<_fedcredit_v1_CreateTokenRequest, _fedcredit_v1_CreateTokenResponse, _fedcredit_v1_CreateTokenRequest__Output, _fedcredit_v1_CreateTokenResponse__Output>
  GetPendingRoster: MethodDefinition<_fedcredit_v1_GetRosterRequest, _fedcredit_v1_Roster, _fedcredit_v1_GetRosterRequest__Output, _fedcredit_v1_Roster__Output>
  GetRoster: MethodDefinition<_fedcredit_v1_GetRosterRequest, _fedcredit_v1_Roster, _fedcredit_v1_GetRosterRequest__Output, _fedcredit_v1_Roster__Output>
  ListEnterprises: MethodDefinition<_fedcredit_v1_ListEnterprisesRequest, _fedcredit_v1_ListEnterprisesResponse, _fedcredit_v1_ListEnterprisesRequest__Output, _fedcredit_v1_ListEnterprisesResponse__Output>
  ListOperators: MethodDefinition<_fedcredit_v1_ListOperatorsRequest, _fedcredit_v1_ListOperatorsResponse, _fedcredit_v1_ListOperatorsRequest__Output, _fedcredit_v1_ListOperatorsResponse__Output>
  ListUsers: MethodDefinition<_fedcredit_v1_ListUsersRequest, _fedcredit_v1_ListUsersResponse, _fedcredit_v1_ListUsersRequest__Output, _fedcredit_v1_ListUsersResponse__Output>
  ProposeSuccession: MethodDefinition<_fedcredit_v1_SuccessionRequest, _fedcredit_v1_Roster, _fedcredit_v1_SuccessionRequest__Output, _fedcredit_v1_Roster__Output>
  Recover: MethodDefinition<_fedcredit_v1_RecoverRequest, _fedcredit_v1_Roster, _fedcredit_v1_RecoverRequest__Output, _fedcredit_v1_Roster__Output>
  Remove: MethodDefinition<_fedcredit_v1_RemoveRequest, _fedcredit_v1_Roster, _fedcredit_v1_RemoveRequest__Output, _fedcredit_v1_Roster__Output>
  RemoveOperator: MethodDefinition<_fedcredit_v1_RemoveOperatorRequest, _fedcredit_v1_RevokeResponse, _fedcredit_v1_RemoveOperatorRequest__Output, _fedcredit_v1_RevokeResponse__Output>
  RemoveUser: MethodDefinition<_fedcredit_v1_UserRequest, _fedcredit_v1_UserResponse, _fedcredit_v1_UserRequest__Output, _fedcredit_v1_UserResponse__Output>
  RenewAuthority: MethodDefinition<_fedcredit_v1_RenewAuthorityRequest, _fedcredit_v1_RenewAuthorityResponse, _fedcredit_v1_RenewAuthorityRequest__Output, _fedcredit_v1_RenewAuthorityResponse__Output>
  RenewCertificate: MethodDefinition<_fedcredit_v1_RenewRequest, _fedcredit_v1_RenewResponse, _fedcredit_v1_RenewRequest__Output, _fedcredit_v1_RenewResponse__Output>
  RetireCertificates: MethodDefinition<_fedcredit_v1_RetireRequest, _fedcredit_v1_RevokeResponse, _fedcredit_v1_RetireRequest__Output, _fedcredit_v1_RevokeResponse__Output>
  Revoke: MethodDefinition<_fedcredit_v1_RevokeRequest, _fedcredit_v1_RevokeResponse, _fedcredit_v1_RevokeRequest__Output, _fedcredit_v1_RevokeResponse__Output>
  RotateBankKey: MethodDefinition<_fedcredit_v1_RotateBankKeyRequest, _fedcredit_v1_Roster, _fedcredit_v1_RotateBankKeyRequest__Output, _fedcredit_v1_Roster__Output>
}
