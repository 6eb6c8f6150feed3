// Original file: proto/audit.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BackupDone as _fedcredit_v1_BackupDone, BackupDone__Output as _fedcredit_v1_BackupDone__Output } from '../../fedcredit/v1/BackupDone.ts';
import type { BackupRequest as _fedcredit_v1_BackupRequest, BackupRequest__Output as _fedcredit_v1_BackupRequest__Output } from '../../fedcredit/v1/BackupRequest.ts';
import type { Checkpoint as _fedcredit_v1_Checkpoint, Checkpoint__Output as _fedcredit_v1_Checkpoint__Output } from '../../fedcredit/v1/Checkpoint.ts';
import type { ConsistencyProof as _fedcredit_v1_ConsistencyProof, ConsistencyProof__Output as _fedcredit_v1_ConsistencyProof__Output } from '../../fedcredit/v1/ConsistencyProof.ts';
import type { ConsistencyRequest as _fedcredit_v1_ConsistencyRequest, ConsistencyRequest__Output as _fedcredit_v1_ConsistencyRequest__Output } from '../../fedcredit/v1/ConsistencyRequest.ts';
import type { Cosignature as _fedcredit_v1_Cosignature, Cosignature__Output as _fedcredit_v1_Cosignature__Output } from '../../fedcredit/v1/Cosignature.ts';
import type { ExportChunk as _fedcredit_v1_ExportChunk, ExportChunk__Output as _fedcredit_v1_ExportChunk__Output } from '../../fedcredit/v1/ExportChunk.ts';
import type { ExportRequest as _fedcredit_v1_ExportRequest, ExportRequest__Output as _fedcredit_v1_ExportRequest__Output } from '../../fedcredit/v1/ExportRequest.ts';
import type { GetCheckpointRequest as _fedcredit_v1_GetCheckpointRequest, GetCheckpointRequest__Output as _fedcredit_v1_GetCheckpointRequest__Output } from '../../fedcredit/v1/GetCheckpointRequest.ts';
import type { InclusionProof as _fedcredit_v1_InclusionProof, InclusionProof__Output as _fedcredit_v1_InclusionProof__Output } from '../../fedcredit/v1/InclusionProof.ts';
import type { InclusionRequest as _fedcredit_v1_InclusionRequest, InclusionRequest__Output as _fedcredit_v1_InclusionRequest__Output } from '../../fedcredit/v1/InclusionRequest.ts';
import type { LedgerCheckpoint as _fedcredit_v1_LedgerCheckpoint, LedgerCheckpoint__Output as _fedcredit_v1_LedgerCheckpoint__Output } from '../../fedcredit/v1/LedgerCheckpoint.ts';
import type { Reported as _fedcredit_v1_Reported, Reported__Output as _fedcredit_v1_Reported__Output } from '../../fedcredit/v1/Reported.ts';

export interface LogClient extends grpc.Client {
  BackedUp(argument: _fedcredit_v1_BackupDone, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  BackedUp(argument: _fedcredit_v1_BackupDone, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  BackedUp(argument: _fedcredit_v1_BackupDone, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  BackedUp(argument: _fedcredit_v1_BackupDone, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  backedUp(argument: _fedcredit_v1_BackupDone, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  backedUp(argument: _fedcredit_v1_BackupDone, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  backedUp(argument: _fedcredit_v1_BackupDone, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  backedUp(argument: _fedcredit_v1_BackupDone, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  
  Backup(argument: _fedcredit_v1_BackupRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_ExportChunk__Output>;
  Backup(argument: _fedcredit_v1_BackupRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_ExportChunk__Output>;
  backup(argument: _fedcredit_v1_BackupRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_ExportChunk__Output>;
  backup(argument: _fedcredit_v1_BackupRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_ExportChunk__Output>;
  
  Cosign(argument: _fedcredit_v1_Cosignature, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  Cosign(argument: _fedcredit_v1_Cosignature, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  Cosign(argument: _fedcredit_v1_Cosignature, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  Cosign(argument: _fedcredit_v1_Cosignature, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  cosign(argument: _fedcredit_v1_Cosignature, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  cosign(argument: _fedcredit_v1_Cosignature, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  cosign(argument: _fedcredit_v1_Cosignature, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  cosign(argument: _fedcredit_v1_Cosignature, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  
  Export(argument: _fedcredit_v1_ExportRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_ExportChunk__Output>;
  Export(argument: _fedcredit_v1_ExportRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_ExportChunk__Output>;
  export(argument: _fedcredit_v1_ExportRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_ExportChunk__Output>;
  export(argument: _fedcredit_v1_ExportRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_ExportChunk__Output>;
  
  GetCheckpoint(argument: _fedcredit_v1_GetCheckpointRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  GetCheckpoint(argument: _fedcredit_v1_GetCheckpointRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  GetCheckpoint(argument: _fedcredit_v1_GetCheckpointRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  GetCheckpoint(argument: _fedcredit_v1_GetCheckpointRequest, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  getCheckpoint(argument: _fedcredit_v1_GetCheckpointRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  getCheckpoint(argument: _fedcredit_v1_GetCheckpointRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  getCheckpoint(argument: _fedcredit_v1_GetCheckpointRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  getCheckpoint(argument: _fedcredit_v1_GetCheckpointRequest, callback: grpc.requestCallback<_fedcredit_v1_Checkpoint__Output>): grpc.ClientUnaryCall;
  
  GetConsistency(argument: _fedcredit_v1_ConsistencyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ConsistencyProof__Output>): grpc.ClientUnaryCall;
  GetConsistency(argument: _fedcredit_v1_ConsistencyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ConsistencyProof__Output>): grpc.ClientUnaryCall;
  GetConsistency(argument: _fedcredit_v1_ConsistencyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ConsistencyProof__Output>): grpc.ClientUnaryCall;
  GetConsistency(argument: _fedcredit_v1_ConsistencyRequest, callback: grpc.requestCallback<_fedcredit_v1_ConsistencyProof__Output>): grpc.ClientUnaryCall;
  getConsistency(argument: _fedcredit_v1_ConsistencyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ConsistencyProof__Output>): grpc.ClientUnaryCall;
  getConsistency(argument: _fedcredit_v1_ConsistencyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_ConsistencyProof__Output>): grpc.ClientUnaryCall;
  getConsistency(argument: _fedcredit_v1_ConsistencyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_ConsistencyProof__Output>): grpc.ClientUnaryCall;
  getConsistency(argument: _fedcredit_v1_ConsistencyRequest, callback: grpc.requestCallback<_fedcredit_v1_ConsistencyProof__Output>): grpc.ClientUnaryCall;
  
  GetInclusion(argument: _fedcredit_v1_InclusionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_InclusionProof__Output>): grpc.ClientUnaryCall;
  GetInclusion(argument: _fedcredit_v1_InclusionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_InclusionProof__Output>): grpc.ClientUnaryCall;
  GetInclusion(argument: _fedcredit_v1_InclusionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_InclusionProof__Output>): grpc.ClientUnaryCall;
  GetInclusion(argument: _fedcredit_v1_InclusionRequest, callback: grpc.requestCallback<_fedcredit_v1_InclusionProof__Output>): grpc.ClientUnaryCall;
  getInclusion(argument: _fedcredit_v1_InclusionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_InclusionProof__Output>): grpc.ClientUnaryCall;
  getInclusion(argument: _fedcredit_v1_InclusionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_InclusionProof__Output>): grpc.ClientUnaryCall;
  getInclusion(argument: _fedcredit_v1_InclusionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_InclusionProof__Output>): grpc.ClientUnaryCall;
  getInclusion(argument: _fedcredit_v1_InclusionRequest, callback: grpc.requestCallback<_fedcredit_v1_InclusionProof__Output>): grpc.ClientUnaryCall;
  
  ReportLedger(argument: _fedcredit_v1_LedgerCheckpoint, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  ReportLedger(argument: _fedcredit_v1_LedgerCheckpoint, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  ReportLedger(argument: _fedcredit_v1_LedgerCheckpoint, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  ReportLedger(argument: _fedcredit_v1_LedgerCheckpoint, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  reportLedger(argument: _fedcredit_v1_LedgerCheckpoint, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  reportLedger(argument: _fedcredit_v1_LedgerCheckpoint, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  reportLedger(argument: _fedcredit_v1_LedgerCheckpoint, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  reportLedger(argument: _fedcredit_v1_LedgerCheckpoint, callback: grpc.requestCallback<_fedcredit_v1_Reported__Output>): grpc.ClientUnaryCall;
  
}

export interface LogHandlers extends grpc.UntypedServiceImplementation {
  BackedUp: grpc.handleUnaryCall<_fedcredit_v1_BackupDone__Output, _fedcredit_v1_Reported>;
  
  Backup: grpc.handleServerStreamingCall<_fedcredit_v1_BackupRequest__Output, _fedcredit_v1_ExportChunk>;
  
  Cosign: grpc.handleUnaryCall<_fedcredit_v1_Cosignature__Output, _fedcredit_v1_Checkpoint>;
  
  Export: grpc.handleServerStreamingCall<_fedcredit_v1_ExportRequest__Output, _fedcredit_v1_ExportChunk>;
  
  GetCheckpoint: grpc.handleUnaryCall<_fedcredit_v1_GetCheckpointRequest__Output, _fedcredit_v1_Checkpoint>;
  
  GetConsistency: grpc.handleUnaryCall<_fedcredit_v1_ConsistencyRequest__Output, _fedcredit_v1_ConsistencyProof>;
  
  GetInclusion: grpc.handleUnaryCall<_fedcredit_v1_InclusionRequest__Output, _fedcredit_v1_InclusionProof>;
  
  ReportLedger: grpc.handleUnaryCall<_fedcredit_v1_LedgerCheckpoint__Output, _fedcredit_v1_Reported>;
  
}

export interface LogDefinition extends grpc.ServiceDefinition {
  BackedUp: MethodDefinition<_fedcredit_v1_BackupDone, _fedcredit_v1_Reported, _fedcredit_v1_BackupDone__Output, _fedcredit_v1_Reported__Output>
  Backup: MethodDefinition<_fedcredit_v1_BackupRequest, _fedcredit_v1_ExportChunk, _fedcredit_v1_BackupRequest__Output, _fedcredit_v1_ExportChunk__Output>
  Cosign: MethodDefinition<_fedcredit_v1_Cosignature, _fedcredit_v1_Checkpoint, _fedcredit_v1_Cosignature__Output, _fedcredit_v1_Checkpoint__Output>
  Export: MethodDefinition<_fedcredit_v1_ExportRequest, _fedcredit_v1_ExportChunk, _fedcredit_v1_ExportRequest__Output, _fedcredit_v1_ExportChunk__Output>
  GetCheckpoint: MethodDefinition<_fedcredit_v1_GetCheckpointRequest, _fedcredit_v1_Checkpoint, _fedcredit_v1_GetCheckpointRequest__Output, _fedcredit_v1_Checkpoint__Output>
  GetConsistency: MethodDefinition<_fedcredit_v1_ConsistencyRequest, _fedcredit_v1_ConsistencyProof, _fedcredit_v1_ConsistencyRequest__Output, _fedcredit_v1_ConsistencyProof__Output>
  GetInclusion: MethodDefinition<_fedcredit_v1_InclusionRequest, _fedcredit_v1_InclusionProof, _fedcredit_v1_InclusionRequest__Output, _fedcredit_v1_InclusionProof__Output>
  ReportLedger: MethodDefinition<_fedcredit_v1_LedgerCheckpoint, _fedcredit_v1_Reported, _fedcredit_v1_LedgerCheckpoint__Output, _fedcredit_v1_Reported__Output>
}
