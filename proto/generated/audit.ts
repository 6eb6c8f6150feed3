import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BackupDone as _fedcredit_v1_BackupDone, BackupDone__Output as _fedcredit_v1_BackupDone__Output } from './fedcredit/v1/BackupDone.ts';
import type { BackupRequest as _fedcredit_v1_BackupRequest, BackupRequest__Output as _fedcredit_v1_BackupRequest__Output } from './fedcredit/v1/BackupRequest.ts';
import type { Checkpoint as _fedcredit_v1_Checkpoint, Checkpoint__Output as _fedcredit_v1_Checkpoint__Output } from './fedcredit/v1/Checkpoint.ts';
import type { ConsistencyProof as _fedcredit_v1_ConsistencyProof, ConsistencyProof__Output as _fedcredit_v1_ConsistencyProof__Output } from './fedcredit/v1/ConsistencyProof.ts';
import type { ConsistencyRequest as _fedcredit_v1_ConsistencyRequest, ConsistencyRequest__Output as _fedcredit_v1_ConsistencyRequest__Output } from './fedcredit/v1/ConsistencyRequest.ts';
import type { Cosignature as _fedcredit_v1_Cosignature, Cosignature__Output as _fedcredit_v1_Cosignature__Output } from './fedcredit/v1/Cosignature.ts';
import type { ExportChunk as _fedcredit_v1_ExportChunk, ExportChunk__Output as _fedcredit_v1_ExportChunk__Output } from './fedcredit/v1/ExportChunk.ts';
import type { ExportRequest as _fedcredit_v1_ExportRequest, ExportRequest__Output as _fedcredit_v1_ExportRequest__Output } from './fedcredit/v1/ExportRequest.ts';
import type { GetCheckpointRequest as _fedcredit_v1_GetCheckpointRequest, GetCheckpointRequest__Output as _fedcredit_v1_GetCheckpointRequest__Output } from './fedcredit/v1/GetCheckpointRequest.ts';
import type { InclusionProof as _fedcredit_v1_InclusionProof, InclusionProof__Output as _fedcredit_v1_InclusionProof__Output } from './fedcredit/v1/InclusionProof.ts';
import type { InclusionRequest as _fedcredit_v1_InclusionRequest, InclusionRequest__Output as _fedcredit_v1_InclusionRequest__Output } from './fedcredit/v1/InclusionRequest.ts';
import type { LedgerCheckpoint as _fedcredit_v1_LedgerCheckpoint, LedgerCheckpoint__Output as _fedcredit_v1_LedgerCheckpoint__Output } from './fedcredit/v1/LedgerCheckpoint.ts';
import type { LogClient as _fedcredit_v1_LogClient, LogDefinition as _fedcredit_v1_LogDefinition } from './fedcredit/v1/Log.ts';
import type { MlDsaCosignature as _fedcredit_v1_MlDsaCosignature, MlDsaCosignature__Output as _fedcredit_v1_MlDsaCosignature__Output } from './fedcredit/v1/MlDsaCosignature.ts';
import type { Reported as _fedcredit_v1_Reported, Reported__Output as _fedcredit_v1_Reported__Output } from './fedcredit/v1/Reported.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  fedcredit: {
    v1: {
      BackupDone: MessageTypeDefinition<_fedcredit_v1_BackupDone, _fedcredit_v1_BackupDone__Output>
      BackupRequest: MessageTypeDefinition<_fedcredit_v1_BackupRequest, _fedcredit_v1_BackupRequest__Output>
      Checkpoint: MessageTypeDefinition<_fedcredit_v1_Checkpoint, _fedcredit_v1_Checkpoint__Output>
      ConsistencyProof: MessageTypeDefinition<_fedcredit_v1_ConsistencyProof, _fedcredit_v1_ConsistencyProof__Output>
      ConsistencyRequest: MessageTypeDefinition<_fedcredit_v1_ConsistencyRequest, _fedcredit_v1_ConsistencyRequest__Output>
      Cosignature: MessageTypeDefinition<_fedcredit_v1_Cosignature, _fedcredit_v1_Cosignature__Output>
      ExportChunk: MessageTypeDefinition<_fedcredit_v1_ExportChunk, _fedcredit_v1_ExportChunk__Output>
      ExportRequest: MessageTypeDefinition<_fedcredit_v1_ExportRequest, _fedcredit_v1_ExportRequest__Output>
      GetCheckpointRequest: MessageTypeDefinition<_fedcredit_v1_GetCheckpointRequest, _fedcredit_v1_GetCheckpointRequest__Output>
      InclusionProof: MessageTypeDefinition<_fedcredit_v1_InclusionProof, _fedcredit_v1_InclusionProof__Output>
      InclusionRequest: MessageTypeDefinition<_fedcredit_v1_InclusionRequest, _fedcredit_v1_InclusionRequest__Output>
      LedgerCheckpoint: MessageTypeDefinition<_fedcredit_v1_LedgerCheckpoint, _fedcredit_v1_LedgerCheckpoint__Output>
      Log: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_LogClient> & { service: _fedcredit_v1_LogDefinition }
      MlDsaCosignature: MessageTypeDefinition<_fedcredit_v1_MlDsaCosignature, _fedcredit_v1_MlDsaCosignature__Output>
      Reported: MessageTypeDefinition<_fedcredit_v1_Reported, _fedcredit_v1_Reported__Output>
    }
  }
}

