import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { AdmitRequest as _fedcredit_v1_AdmitRequest, AdmitRequest__Output as _fedcredit_v1_AdmitRequest__Output } from './fedcredit/v1/AdmitRequest.ts';
import type { Advertise as _fedcredit_v1_Advertise, Advertise__Output as _fedcredit_v1_Advertise__Output } from './fedcredit/v1/Advertise.ts';
import type { Advertised as _fedcredit_v1_Advertised, Advertised__Output as _fedcredit_v1_Advertised__Output } from './fedcredit/v1/Advertised.ts';
import type { Aggregate as _fedcredit_v1_Aggregate, Aggregate__Output as _fedcredit_v1_Aggregate__Output } from './fedcredit/v1/Aggregate.ts';
import type { Agree as _fedcredit_v1_Agree, Agree__Output as _fedcredit_v1_Agree__Output } from './fedcredit/v1/Agree.ts';
import type { Agreed as _fedcredit_v1_Agreed, Agreed__Output as _fedcredit_v1_Agreed__Output } from './fedcredit/v1/Agreed.ts';
import type { AgreedSignature as _fedcredit_v1_AgreedSignature, AgreedSignature__Output as _fedcredit_v1_AgreedSignature__Output } from './fedcredit/v1/AgreedSignature.ts';
import type { BlobRequest as _fedcredit_v1_BlobRequest, BlobRequest__Output as _fedcredit_v1_BlobRequest__Output } from './fedcredit/v1/BlobRequest.ts';
import type { BlobStatus as _fedcredit_v1_BlobStatus, BlobStatus__Output as _fedcredit_v1_BlobStatus__Output } from './fedcredit/v1/BlobStatus.ts';
import type { BlobsClient as _fedcredit_v1_BlobsClient, BlobsDefinition as _fedcredit_v1_BlobsDefinition } from './fedcredit/v1/Blobs.ts';
import type { Chunk as _fedcredit_v1_Chunk, Chunk__Output as _fedcredit_v1_Chunk__Output } from './fedcredit/v1/Chunk.ts';
import type { Closed as _fedcredit_v1_Closed, Closed__Output as _fedcredit_v1_Closed__Output } from './fedcredit/v1/Closed.ts';
import type { ConsentRequest as _fedcredit_v1_ConsentRequest, ConsentRequest__Output as _fedcredit_v1_ConsentRequest__Output } from './fedcredit/v1/ConsentRequest.ts';
import type { CoordinatorMessage as _fedcredit_v1_CoordinatorMessage, CoordinatorMessage__Output as _fedcredit_v1_CoordinatorMessage__Output } from './fedcredit/v1/CoordinatorMessage.ts';
import type { CreateTokenRequest as _fedcredit_v1_CreateTokenRequest, CreateTokenRequest__Output as _fedcredit_v1_CreateTokenRequest__Output } from './fedcredit/v1/CreateTokenRequest.ts';
import type { CreateTokenResponse as _fedcredit_v1_CreateTokenResponse, CreateTokenResponse__Output as _fedcredit_v1_CreateTokenResponse__Output } from './fedcredit/v1/CreateTokenResponse.ts';
import type { DealEpoch as _fedcredit_v1_DealEpoch, DealEpoch__Output as _fedcredit_v1_DealEpoch__Output } from './fedcredit/v1/DealEpoch.ts';
import type { DownloadRequest as _fedcredit_v1_DownloadRequest, DownloadRequest__Output as _fedcredit_v1_DownloadRequest__Output } from './fedcredit/v1/DownloadRequest.ts';
import type { EnrolRequest as _fedcredit_v1_EnrolRequest, EnrolRequest__Output as _fedcredit_v1_EnrolRequest__Output } from './fedcredit/v1/EnrolRequest.ts';
import type { EnrolResponse as _fedcredit_v1_EnrolResponse, EnrolResponse__Output as _fedcredit_v1_EnrolResponse__Output } from './fedcredit/v1/EnrolResponse.ts';
import type { EnrolmentClient as _fedcredit_v1_EnrolmentClient, EnrolmentDefinition as _fedcredit_v1_EnrolmentDefinition } from './fedcredit/v1/Enrolment.ts';
import type { EpochConfirmed as _fedcredit_v1_EpochConfirmed, EpochConfirmed__Output as _fedcredit_v1_EpochConfirmed__Output } from './fedcredit/v1/EpochConfirmed.ts';
import type { EpochDealt as _fedcredit_v1_EpochDealt, EpochDealt__Output as _fedcredit_v1_EpochDealt__Output } from './fedcredit/v1/EpochDealt.ts';
import type { EpochKey as _fedcredit_v1_EpochKey, EpochKey__Output as _fedcredit_v1_EpochKey__Output } from './fedcredit/v1/EpochKey.ts';
import type { GetRosterRequest as _fedcredit_v1_GetRosterRequest, GetRosterRequest__Output as _fedcredit_v1_GetRosterRequest__Output } from './fedcredit/v1/GetRosterRequest.ts';
import type { HealthClient as _fedcredit_v1_HealthClient, HealthDefinition as _fedcredit_v1_HealthDefinition } from './fedcredit/v1/Health.ts';
import type { HealthRequest as _fedcredit_v1_HealthRequest, HealthRequest__Output as _fedcredit_v1_HealthRequest__Output } from './fedcredit/v1/HealthRequest.ts';
import type { HealthResponse as _fedcredit_v1_HealthResponse, HealthResponse__Output as _fedcredit_v1_HealthResponse__Output } from './fedcredit/v1/HealthResponse.ts';
import type { Hello as _fedcredit_v1_Hello, Hello__Output as _fedcredit_v1_Hello__Output } from './fedcredit/v1/Hello.ts';
import type { Keys as _fedcredit_v1_Keys, Keys__Output as _fedcredit_v1_Keys__Output } from './fedcredit/v1/Keys.ts';
import type { ListStudiesRequest as _fedcredit_v1_ListStudiesRequest, ListStudiesRequest__Output as _fedcredit_v1_ListStudiesRequest__Output } from './fedcredit/v1/ListStudiesRequest.ts';
import type { ListStudiesResponse as _fedcredit_v1_ListStudiesResponse, ListStudiesResponse__Output as _fedcredit_v1_ListStudiesResponse__Output } from './fedcredit/v1/ListStudiesResponse.ts';
import type { Manifest as _fedcredit_v1_Manifest, Manifest__Output as _fedcredit_v1_Manifest__Output } from './fedcredit/v1/Manifest.ts';
import type { MembershipClient as _fedcredit_v1_MembershipClient, MembershipDefinition as _fedcredit_v1_MembershipDefinition } from './fedcredit/v1/Membership.ts';
import type { Model as _fedcredit_v1_Model, Model__Output as _fedcredit_v1_Model__Output } from './fedcredit/v1/Model.ts';
import type { Open as _fedcredit_v1_Open, Open__Output as _fedcredit_v1_Open__Output } from './fedcredit/v1/Open.ts';
import type { PartyMessage as _fedcredit_v1_PartyMessage, PartyMessage__Output as _fedcredit_v1_PartyMessage__Output } from './fedcredit/v1/PartyMessage.ts';
import type { Refuse as _fedcredit_v1_Refuse, Refuse__Output as _fedcredit_v1_Refuse__Output } from './fedcredit/v1/Refuse.ts';
import type { Released as _fedcredit_v1_Released, Released__Output as _fedcredit_v1_Released__Output } from './fedcredit/v1/Released.ts';
import type { RevealedShare as _fedcredit_v1_RevealedShare, RevealedShare__Output as _fedcredit_v1_RevealedShare__Output } from './fedcredit/v1/RevealedShare.ts';
import type { Roster as _fedcredit_v1_Roster, Roster__Output as _fedcredit_v1_Roster__Output } from './fedcredit/v1/Roster.ts';
import type { RoundsClient as _fedcredit_v1_RoundsClient, RoundsDefinition as _fedcredit_v1_RoundsDefinition } from './fedcredit/v1/Rounds.ts';
import type { SealedKey as _fedcredit_v1_SealedKey, SealedKey__Output as _fedcredit_v1_SealedKey__Output } from './fedcredit/v1/SealedKey.ts';
import type { SealedShare as _fedcredit_v1_SealedShare, SealedShare__Output as _fedcredit_v1_SealedShare__Output } from './fedcredit/v1/SealedShare.ts';
import type { Share as _fedcredit_v1_Share, Share__Output as _fedcredit_v1_Share__Output } from './fedcredit/v1/Share.ts';
import type { Shares as _fedcredit_v1_Shares, Shares__Output as _fedcredit_v1_Shares__Output } from './fedcredit/v1/Shares.ts';
import type { StudiesClient as _fedcredit_v1_StudiesClient, StudiesDefinition as _fedcredit_v1_StudiesDefinition } from './fedcredit/v1/Studies.ts';
import type { StudyRequest as _fedcredit_v1_StudyRequest, StudyRequest__Output as _fedcredit_v1_StudyRequest__Output } from './fedcredit/v1/StudyRequest.ts';
import type { StudyStatus as _fedcredit_v1_StudyStatus, StudyStatus__Output as _fedcredit_v1_StudyStatus__Output } from './fedcredit/v1/StudyStatus.ts';
import type { Submit as _fedcredit_v1_Submit, Submit__Output as _fedcredit_v1_Submit__Output } from './fedcredit/v1/Submit.ts';
import type { Survivor as _fedcredit_v1_Survivor, Survivor__Output as _fedcredit_v1_Survivor__Output } from './fedcredit/v1/Survivor.ts';
import type { Survivors as _fedcredit_v1_Survivors, Survivors__Output as _fedcredit_v1_Survivors__Output } from './fedcredit/v1/Survivors.ts';
import type { Unmask as _fedcredit_v1_Unmask, Unmask__Output as _fedcredit_v1_Unmask__Output } from './fedcredit/v1/Unmask.ts';
import type { UploadChunk as _fedcredit_v1_UploadChunk, UploadChunk__Output as _fedcredit_v1_UploadChunk__Output } from './fedcredit/v1/UploadChunk.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  fedcredit: {
    v1: {
      AdmitRequest: MessageTypeDefinition<_fedcredit_v1_AdmitRequest, _fedcredit_v1_AdmitRequest__Output>
      Advertise: MessageTypeDefinition<_fedcredit_v1_Advertise, _fedcredit_v1_Advertise__Output>
      Advertised: MessageTypeDefinition<_fedcredit_v1_Advertised, _fedcredit_v1_Advertised__Output>
      Aggregate: MessageTypeDefinition<_fedcredit_v1_Aggregate, _fedcredit_v1_Aggregate__Output>
      Agree: MessageTypeDefinition<_fedcredit_v1_Agree, _fedcredit_v1_Agree__Output>
      Agreed: MessageTypeDefinition<_fedcredit_v1_Agreed, _fedcredit_v1_Agreed__Output>
      AgreedSignature: MessageTypeDefinition<_fedcredit_v1_AgreedSignature, _fedcredit_v1_AgreedSignature__Output>
      BlobRequest: MessageTypeDefinition<_fedcredit_v1_BlobRequest, _fedcredit_v1_BlobRequest__Output>
      BlobStatus: MessageTypeDefinition<_fedcredit_v1_BlobStatus, _fedcredit_v1_BlobStatus__Output>
      Blobs: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_BlobsClient> & { service: _fedcredit_v1_BlobsDefinition }
      Chunk: MessageTypeDefinition<_fedcredit_v1_Chunk, _fedcredit_v1_Chunk__Output>
      Closed: MessageTypeDefinition<_fedcredit_v1_Closed, _fedcredit_v1_Closed__Output>
      ConsentRequest: MessageTypeDefinition<_fedcredit_v1_ConsentRequest, _fedcredit_v1_ConsentRequest__Output>
      CoordinatorMessage: MessageTypeDefinition<_fedcredit_v1_CoordinatorMessage, _fedcredit_v1_CoordinatorMessage__Output>
      CreateTokenRequest: MessageTypeDefinition<_fedcredit_v1_CreateTokenRequest, _fedcredit_v1_CreateTokenRequest__Output>
      CreateTokenResponse: MessageTypeDefinition<_fedcredit_v1_CreateTokenResponse, _fedcredit_v1_CreateTokenResponse__Output>
      DealEpoch: MessageTypeDefinition<_fedcredit_v1_DealEpoch, _fedcredit_v1_DealEpoch__Output>
      DownloadRequest: MessageTypeDefinition<_fedcredit_v1_DownloadRequest, _fedcredit_v1_DownloadRequest__Output>
      EnrolRequest: MessageTypeDefinition<_fedcredit_v1_EnrolRequest, _fedcredit_v1_EnrolRequest__Output>
      EnrolResponse: MessageTypeDefinition<_fedcredit_v1_EnrolResponse, _fedcredit_v1_EnrolResponse__Output>
      Enrolment: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_EnrolmentClient> & { service: _fedcredit_v1_EnrolmentDefinition }
      EpochConfirmed: MessageTypeDefinition<_fedcredit_v1_EpochConfirmed, _fedcredit_v1_EpochConfirmed__Output>
      EpochDealt: MessageTypeDefinition<_fedcredit_v1_EpochDealt, _fedcredit_v1_EpochDealt__Output>
      EpochKey: MessageTypeDefinition<_fedcredit_v1_EpochKey, _fedcredit_v1_EpochKey__Output>
      GetRosterRequest: MessageTypeDefinition<_fedcredit_v1_GetRosterRequest, _fedcredit_v1_GetRosterRequest__Output>
      Health: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_HealthClient> & { service: _fedcredit_v1_HealthDefinition }
      HealthRequest: MessageTypeDefinition<_fedcredit_v1_HealthRequest, _fedcredit_v1_HealthRequest__Output>
      HealthResponse: MessageTypeDefinition<_fedcredit_v1_HealthResponse, _fedcredit_v1_HealthResponse__Output>
      Hello: MessageTypeDefinition<_fedcredit_v1_Hello, _fedcredit_v1_Hello__Output>
      Keys: MessageTypeDefinition<_fedcredit_v1_Keys, _fedcredit_v1_Keys__Output>
      ListStudiesRequest: MessageTypeDefinition<_fedcredit_v1_ListStudiesRequest, _fedcredit_v1_ListStudiesRequest__Output>
      ListStudiesResponse: MessageTypeDefinition<_fedcredit_v1_ListStudiesResponse, _fedcredit_v1_ListStudiesResponse__Output>
      Manifest: MessageTypeDefinition<_fedcredit_v1_Manifest, _fedcredit_v1_Manifest__Output>
      Membership: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_MembershipClient> & { service: _fedcredit_v1_MembershipDefinition }
      Model: MessageTypeDefinition<_fedcredit_v1_Model, _fedcredit_v1_Model__Output>
      Open: MessageTypeDefinition<_fedcredit_v1_Open, _fedcredit_v1_Open__Output>
      PartyMessage: MessageTypeDefinition<_fedcredit_v1_PartyMessage, _fedcredit_v1_PartyMessage__Output>
      Refuse: MessageTypeDefinition<_fedcredit_v1_Refuse, _fedcredit_v1_Refuse__Output>
      Released: MessageTypeDefinition<_fedcredit_v1_Released, _fedcredit_v1_Released__Output>
      RevealedShare: MessageTypeDefinition<_fedcredit_v1_RevealedShare, _fedcredit_v1_RevealedShare__Output>
      Roster: MessageTypeDefinition<_fedcredit_v1_Roster, _fedcredit_v1_Roster__Output>
      Rounds: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_RoundsClient> & { service: _fedcredit_v1_RoundsDefinition }
      SealedKey: MessageTypeDefinition<_fedcredit_v1_SealedKey, _fedcredit_v1_SealedKey__Output>
      SealedShare: MessageTypeDefinition<_fedcredit_v1_SealedShare, _fedcredit_v1_SealedShare__Output>
      Share: MessageTypeDefinition<_fedcredit_v1_Share, _fedcredit_v1_Share__Output>
      Shares: MessageTypeDefinition<_fedcredit_v1_Shares, _fedcredit_v1_Shares__Output>
      Studies: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_StudiesClient> & { service: _fedcredit_v1_StudiesDefinition }
      StudyRequest: MessageTypeDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyRequest__Output>
      StudyStatus: MessageTypeDefinition<_fedcredit_v1_StudyStatus, _fedcredit_v1_StudyStatus__Output>
      Submit: MessageTypeDefinition<_fedcredit_v1_Submit, _fedcredit_v1_Submit__Output>
      Survivor: MessageTypeDefinition<_fedcredit_v1_Survivor, _fedcredit_v1_Survivor__Output>
      Survivors: MessageTypeDefinition<_fedcredit_v1_Survivors, _fedcredit_v1_Survivors__Output>
      Unmask: MessageTypeDefinition<_fedcredit_v1_Unmask, _fedcredit_v1_Unmask__Output>
      UploadChunk: MessageTypeDefinition<_fedcredit_v1_UploadChunk, _fedcredit_v1_UploadChunk__Output>
    }
  }
}

