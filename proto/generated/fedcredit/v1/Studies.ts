// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CertificatesRequest as _fedcredit_v1_CertificatesRequest, CertificatesRequest__Output as _fedcredit_v1_CertificatesRequest__Output } from '../../fedcredit/v1/CertificatesRequest.ts';
import type { ConsentRequest as _fedcredit_v1_ConsentRequest, ConsentRequest__Output as _fedcredit_v1_ConsentRequest__Output } from '../../fedcredit/v1/ConsentRequest.ts';
import type { ListStudiesRequest as _fedcredit_v1_ListStudiesRequest, ListStudiesRequest__Output as _fedcredit_v1_ListStudiesRequest__Output } from '../../fedcredit/v1/ListStudiesRequest.ts';
import type { ListStudiesResponse as _fedcredit_v1_ListStudiesResponse, ListStudiesResponse__Output as _fedcredit_v1_ListStudiesResponse__Output } from '../../fedcredit/v1/ListStudiesResponse.ts';
import type { Manifest as _fedcredit_v1_Manifest, Manifest__Output as _fedcredit_v1_Manifest__Output } from '../../fedcredit/v1/Manifest.ts';
import type { Model as _fedcredit_v1_Model, Model__Output as _fedcredit_v1_Model__Output } from '../../fedcredit/v1/Model.ts';
import type { PruneRequest as _fedcredit_v1_PruneRequest, PruneRequest__Output as _fedcredit_v1_PruneRequest__Output } from '../../fedcredit/v1/PruneRequest.ts';
import type { PruneResponse as _fedcredit_v1_PruneResponse, PruneResponse__Output as _fedcredit_v1_PruneResponse__Output } from '../../fedcredit/v1/PruneResponse.ts';
import type { StudyCheck as _fedcredit_v1_StudyCheck, StudyCheck__Output as _fedcredit_v1_StudyCheck__Output } from '../../fedcredit/v1/StudyCheck.ts';
import type { StudyInspection as _fedcredit_v1_StudyInspection, StudyInspection__Output as _fedcredit_v1_StudyInspection__Output } from '../../fedcredit/v1/StudyInspection.ts';
import type { StudyRequest as _fedcredit_v1_StudyRequest, StudyRequest__Output as _fedcredit_v1_StudyRequest__Output } from '../../fedcredit/v1/StudyRequest.ts';
import type { StudyStatus as _fedcredit_v1_StudyStatus, StudyStatus__Output as _fedcredit_v1_StudyStatus__Output } from '../../fedcredit/v1/StudyStatus.ts';
import type { SumCertificate as _fedcredit_v1_SumCertificate, SumCertificate__Output as _fedcredit_v1_SumCertificate__Output } from '../../fedcredit/v1/SumCertificate.ts';

export interface StudiesClient extends grpc.Client {
  Check(argument: _fedcredit_v1_Manifest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyCheck__Output>): grpc.ClientUnaryCall;
  Check(argument: _fedcredit_v1_Manifest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyCheck__Output>): grpc.ClientUnaryCall;
  Check(argument: _fedcredit_v1_Manifest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyCheck__Output>): grpc.ClientUnaryCall;
  Check(argument: _fedcredit_v1_Manifest, callback: grpc.requestCallback<_fedcredit_v1_StudyCheck__Output>): grpc.ClientUnaryCall;
  check(argument: _fedcredit_v1_Manifest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyCheck__Output>): grpc.ClientUnaryCall;
  check(argument: _fedcredit_v1_Manifest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyCheck__Output>): grpc.ClientUnaryCall;
  check(argument: _fedcredit_v1_Manifest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyCheck__Output>): grpc.ClientUnaryCall;
  check(argument: _fedcredit_v1_Manifest, callback: grpc.requestCallback<_fedcredit_v1_StudyCheck__Output>): grpc.ClientUnaryCall;
  
  Consent(argument: _fedcredit_v1_ConsentRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Consent(argument: _fedcredit_v1_ConsentRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Consent(argument: _fedcredit_v1_ConsentRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Consent(argument: _fedcredit_v1_ConsentRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  consent(argument: _fedcredit_v1_ConsentRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  consent(argument: _fedcredit_v1_ConsentRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  consent(argument: _fedcredit_v1_ConsentRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  consent(argument: _fedcredit_v1_ConsentRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  
  Follow(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_StudyStatus__Output>;
  Follow(argument: _fedcredit_v1_StudyRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_StudyStatus__Output>;
  follow(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_StudyStatus__Output>;
  follow(argument: _fedcredit_v1_StudyRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_StudyStatus__Output>;
  
  Get(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Get(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Get(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Get(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  get(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  get(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  get(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  get(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  
  GetCertificates(argument: _fedcredit_v1_CertificatesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_SumCertificate__Output>;
  GetCertificates(argument: _fedcredit_v1_CertificatesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_SumCertificate__Output>;
  getCertificates(argument: _fedcredit_v1_CertificatesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_SumCertificate__Output>;
  getCertificates(argument: _fedcredit_v1_CertificatesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_SumCertificate__Output>;
  
  GetModel(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Model__Output>): grpc.ClientUnaryCall;
  GetModel(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Model__Output>): grpc.ClientUnaryCall;
  GetModel(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Model__Output>): grpc.ClientUnaryCall;
  GetModel(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_Model__Output>): grpc.ClientUnaryCall;
  getModel(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Model__Output>): grpc.ClientUnaryCall;
  getModel(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Model__Output>): grpc.ClientUnaryCall;
  getModel(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Model__Output>): grpc.ClientUnaryCall;
  getModel(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_Model__Output>): grpc.ClientUnaryCall;
  
  Inspect(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyInspection__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyInspection__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyInspection__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyInspection__Output>): grpc.ClientUnaryCall;
  inspect(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyInspection__Output>): grpc.ClientUnaryCall;
  inspect(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyInspection__Output>): grpc.ClientUnaryCall;
  inspect(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyInspection__Output>): grpc.ClientUnaryCall;
  inspect(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyInspection__Output>): grpc.ClientUnaryCall;
  
  List(argument: _fedcredit_v1_ListStudiesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListStudiesResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_ListStudiesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListStudiesResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_ListStudiesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListStudiesResponse__Output>): grpc.ClientUnaryCall;
  List(argument: _fedcredit_v1_ListStudiesRequest, callback: grpc.requestCallback<_fedcredit_v1_ListStudiesResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_ListStudiesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListStudiesResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_ListStudiesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ListStudiesResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_ListStudiesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ListStudiesResponse__Output>): grpc.ClientUnaryCall;
  list(argument: _fedcredit_v1_ListStudiesRequest, callback: grpc.requestCallback<_fedcredit_v1_ListStudiesResponse__Output>): grpc.ClientUnaryCall;
  
  Pause(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Pause(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Pause(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Pause(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  pause(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  pause(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  pause(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  pause(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  
  Propose(argument: _fedcredit_v1_Manifest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Propose(argument: _fedcredit_v1_Manifest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Propose(argument: _fedcredit_v1_Manifest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Propose(argument: _fedcredit_v1_Manifest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  propose(argument: _fedcredit_v1_Manifest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  propose(argument: _fedcredit_v1_Manifest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  propose(argument: _fedcredit_v1_Manifest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  propose(argument: _fedcredit_v1_Manifest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  
  Prune(argument: _fedcredit_v1_PruneRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_PruneResponse__Output>): grpc.ClientUnaryCall;
  Prune(argument: _fedcredit_v1_PruneRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_PruneResponse__Output>): grpc.ClientUnaryCall;
  Prune(argument: _fedcredit_v1_PruneRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_PruneResponse__Output>): grpc.ClientUnaryCall;
  Prune(argument: _fedcredit_v1_PruneRequest, callback: grpc.requestCallback<_fedcredit_v1_PruneResponse__Output>): grpc.ClientUnaryCall;
  prune(argument: _fedcredit_v1_PruneRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_PruneResponse__Output>): grpc.ClientUnaryCall;
  prune(argument: _fedcredit_v1_PruneRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_PruneResponse__Output>): grpc.ClientUnaryCall;
  prune(argument: _fedcredit_v1_PruneRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_PruneResponse__Output>): grpc.ClientUnaryCall;
  prune(argument: _fedcredit_v1_PruneRequest, callback: grpc.requestCallback<_fedcredit_v1_PruneResponse__Output>): grpc.ClientUnaryCall;
  
  Retry(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Retry(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Retry(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Retry(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  retry(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  retry(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  retry(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  retry(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  
  Start(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Start(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Start(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Start(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  start(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  start(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  start(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  start(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  
  Stop(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Stop(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Stop(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Stop(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  stop(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  stop(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  stop(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  stop(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  
  Withdraw(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Withdraw(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Withdraw(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  Withdraw(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  withdraw(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  withdraw(argument: _fedcredit_v1_StudyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  withdraw(argument: _fedcredit_v1_StudyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  withdraw(argument: _fedcredit_v1_StudyRequest, callback: grpc.requestCallback<_fedcredit_v1_StudyStatus__Output>): grpc.ClientUnaryCall;
  
}

export interface StudiesHandlers extends grpc.UntypedServiceImplementation {
  Check: grpc.handleUnaryCall<_fedcredit_v1_Manifest__Output, _fedcredit_v1_StudyCheck>;
  
  Consent: grpc.handleUnaryCall<_fedcredit_v1_ConsentRequest__Output, _fedcredit_v1_StudyStatus>;
  
  Follow: grpc.handleServerStreamingCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus>;
  
  Get: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus>;
  
  GetCertificates: grpc.handleServerStreamingCall<_fedcredit_v1_CertificatesRequest__Output, _fedcredit_v1_SumCertificate>;
  
  GetModel: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_Model>;
  
  Inspect: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyInspection>;
  
  List: grpc.handleUnaryCall<_fedcredit_v1_ListStudiesRequest__Output, _fedcredit_v1_ListStudiesResponse>;
  
  Pause: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus>;
  
  Propose: grpc.handleUnaryCall<_fedcredit_v1_Manifest__Output, _fedcredit_v1_StudyStatus>;
  
  Prune: grpc.handleUnaryCall<_fedcredit_v1_PruneRequest__Output, _fedcredit_v1_PruneResponse>;
  
  Retry: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus>;
  
  Start: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus>;
  
  Stop: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus>;
  
  Withdraw: grpc.handleUnaryCall<_fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus>;
  
}

export interface StudiesDefinition extends grpc.ServiceDefinition {
  Check: MethodDefinition<_fedcredit_v1_Manifest, _fedcredit_v1_StudyCheck, _fedcredit_v1_Manifest__Output, _fedcredit_v1_StudyCheck__Output>
  Consent: MethodDefinition<_fedcredit_v1_ConsentRequest, _fedcredit_v1_StudyStatus, _fedcredit_v1_ConsentRequest__Output, _fedcredit_v1_StudyStatus__Output>
  Follow: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyStatus, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus__Output>
  Get: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyStatus, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus__Output>
  GetCertificates: MethodDefinition<_fedcredit_v1_CertificatesRequest, _fedcredit_v1_SumCertificate, _fedcredit_v1_CertificatesRequest__Output, _fedcredit_v1_SumCertificate__Output>
  GetModel: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_Model, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_Model__Output>
  Inspect: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyInspection, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyInspection__Output>
  List: MethodDefinition<_fedcredit_v1_ListStudiesRequest, _fedcredit_v1_ListStudiesResponse, _fedcredit_v1_ListStudiesRequest__Output, _fedcredit_v1_ListStudiesResponse__Output>
  Pause: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyStatus, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus__Output>
  Propose: MethodDefinition<_fedcredit_v1_Manifest, _fedcredit_v1_StudyStatus, _fedcredit_v1_Manifest__Output, _fedcredit_v1_StudyStatus__Output>
  Prune: MethodDefinition<_fedcredit_v1_PruneRequest, _fedcredit_v1_PruneResponse, _fedcredit_v1_PruneRequest__Output, _fedcredit_v1_PruneResponse__Output>
  Retry: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyStatus, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus__Output>
  Start: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyStatus, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus__Output>
  Stop: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyStatus, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus__Output>
  Withdraw: MethodDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyStatus, _fedcredit_v1_StudyRequest__Output, _fedcredit_v1_StudyStatus__Output>
}
