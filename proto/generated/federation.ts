import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Accuse as _fedcredit_v1_Accuse, Accuse__Output as _fedcredit_v1_Accuse__Output } from './fedcredit/v1/Accuse.ts';
import type { AddOperatorRequest as _fedcredit_v1_AddOperatorRequest, AddOperatorRequest__Output as _fedcredit_v1_AddOperatorRequest__Output } from './fedcredit/v1/AddOperatorRequest.ts';
import type { AddUserRequest as _fedcredit_v1_AddUserRequest, AddUserRequest__Output as _fedcredit_v1_AddUserRequest__Output } from './fedcredit/v1/AddUserRequest.ts';
import type { AddUserResponse as _fedcredit_v1_AddUserResponse, AddUserResponse__Output as _fedcredit_v1_AddUserResponse__Output } from './fedcredit/v1/AddUserResponse.ts';
import type { AdmitRequest as _fedcredit_v1_AdmitRequest, AdmitRequest__Output as _fedcredit_v1_AdmitRequest__Output } from './fedcredit/v1/AdmitRequest.ts';
import type { Aggregate as _fedcredit_v1_Aggregate, Aggregate__Output as _fedcredit_v1_Aggregate__Output } from './fedcredit/v1/Aggregate.ts';
import type { Agree as _fedcredit_v1_Agree, Agree__Output as _fedcredit_v1_Agree__Output } from './fedcredit/v1/Agree.ts';
import type { Agreed as _fedcredit_v1_Agreed, Agreed__Output as _fedcredit_v1_Agreed__Output } from './fedcredit/v1/Agreed.ts';
import type { Agreement as _fedcredit_v1_Agreement, Agreement__Output as _fedcredit_v1_Agreement__Output } from './fedcredit/v1/Agreement.ts';
import type { AlgorithmCost as _fedcredit_v1_AlgorithmCost, AlgorithmCost__Output as _fedcredit_v1_AlgorithmCost__Output } from './fedcredit/v1/AlgorithmCost.ts';
import type { AnswerComplaint as _fedcredit_v1_AnswerComplaint, AnswerComplaint__Output as _fedcredit_v1_AnswerComplaint__Output } from './fedcredit/v1/AnswerComplaint.ts';
import type { BlobRequest as _fedcredit_v1_BlobRequest, BlobRequest__Output as _fedcredit_v1_BlobRequest__Output } from './fedcredit/v1/BlobRequest.ts';
import type { BlobStatus as _fedcredit_v1_BlobStatus, BlobStatus__Output as _fedcredit_v1_BlobStatus__Output } from './fedcredit/v1/BlobStatus.ts';
import type { BlobsClient as _fedcredit_v1_BlobsClient, BlobsDefinition as _fedcredit_v1_BlobsDefinition } from './fedcredit/v1/Blobs.ts';
import type { Case as _fedcredit_v1_Case, Case__Output as _fedcredit_v1_Case__Output } from './fedcredit/v1/Case.ts';
import type { CaseEvent as _fedcredit_v1_CaseEvent, CaseEvent__Output as _fedcredit_v1_CaseEvent__Output } from './fedcredit/v1/CaseEvent.ts';
import type { CaseOrder as _fedcredit_v1_CaseOrder, CaseOrder__Output as _fedcredit_v1_CaseOrder__Output } from './fedcredit/v1/CaseOrder.ts';
import type { CaseRequest as _fedcredit_v1_CaseRequest, CaseRequest__Output as _fedcredit_v1_CaseRequest__Output } from './fedcredit/v1/CaseRequest.ts';
import type { Certificate as _fedcredit_v1_Certificate, Certificate__Output as _fedcredit_v1_Certificate__Output } from './fedcredit/v1/Certificate.ts';
import type { CertificatesRequest as _fedcredit_v1_CertificatesRequest, CertificatesRequest__Output as _fedcredit_v1_CertificatesRequest__Output } from './fedcredit/v1/CertificatesRequest.ts';
import type { Closed as _fedcredit_v1_Closed, Closed__Output as _fedcredit_v1_Closed__Output } from './fedcredit/v1/Closed.ts';
import type { ComplainEpoch as _fedcredit_v1_ComplainEpoch, ComplainEpoch__Output as _fedcredit_v1_ComplainEpoch__Output } from './fedcredit/v1/ComplainEpoch.ts';
import type { ConfirmEpoch as _fedcredit_v1_ConfirmEpoch, ConfirmEpoch__Output as _fedcredit_v1_ConfirmEpoch__Output } from './fedcredit/v1/ConfirmEpoch.ts';
import type { ConsentRequest as _fedcredit_v1_ConsentRequest, ConsentRequest__Output as _fedcredit_v1_ConsentRequest__Output } from './fedcredit/v1/ConsentRequest.ts';
import type { CoordinatorMessage as _fedcredit_v1_CoordinatorMessage, CoordinatorMessage__Output as _fedcredit_v1_CoordinatorMessage__Output } from './fedcredit/v1/CoordinatorMessage.ts';
import type { CreateTokenRequest as _fedcredit_v1_CreateTokenRequest, CreateTokenRequest__Output as _fedcredit_v1_CreateTokenRequest__Output } from './fedcredit/v1/CreateTokenRequest.ts';
import type { CreateTokenResponse as _fedcredit_v1_CreateTokenResponse, CreateTokenResponse__Output as _fedcredit_v1_CreateTokenResponse__Output } from './fedcredit/v1/CreateTokenResponse.ts';
import type { DealtKey as _fedcredit_v1_DealtKey, DealtKey__Output as _fedcredit_v1_DealtKey__Output } from './fedcredit/v1/DealtKey.ts';
import type { Decision as _fedcredit_v1_Decision, Decision__Output as _fedcredit_v1_Decision__Output } from './fedcredit/v1/Decision.ts';
import type { EnrolRequest as _fedcredit_v1_EnrolRequest, EnrolRequest__Output as _fedcredit_v1_EnrolRequest__Output } from './fedcredit/v1/EnrolRequest.ts';
import type { EnrolResponse as _fedcredit_v1_EnrolResponse, EnrolResponse__Output as _fedcredit_v1_EnrolResponse__Output } from './fedcredit/v1/EnrolResponse.ts';
import type { EnrolmentClient as _fedcredit_v1_EnrolmentClient, EnrolmentDefinition as _fedcredit_v1_EnrolmentDefinition } from './fedcredit/v1/Enrolment.ts';
import type { Enterprise as _fedcredit_v1_Enterprise, Enterprise__Output as _fedcredit_v1_Enterprise__Output } from './fedcredit/v1/Enterprise.ts';
import type { EpochDealt as _fedcredit_v1_EpochDealt, EpochDealt__Output as _fedcredit_v1_EpochDealt__Output } from './fedcredit/v1/EpochDealt.ts';
import type { EpochFailed as _fedcredit_v1_EpochFailed, EpochFailed__Output as _fedcredit_v1_EpochFailed__Output } from './fedcredit/v1/EpochFailed.ts';
import type { EpochJoined as _fedcredit_v1_EpochJoined, EpochJoined__Output as _fedcredit_v1_EpochJoined__Output } from './fedcredit/v1/EpochJoined.ts';
import type { EpochNonce as _fedcredit_v1_EpochNonce, EpochNonce__Output as _fedcredit_v1_EpochNonce__Output } from './fedcredit/v1/EpochNonce.ts';
import type { EpochNonces as _fedcredit_v1_EpochNonces, EpochNonces__Output as _fedcredit_v1_EpochNonces__Output } from './fedcredit/v1/EpochNonces.ts';
import type { EpochReady as _fedcredit_v1_EpochReady, EpochReady__Output as _fedcredit_v1_EpochReady__Output } from './fedcredit/v1/EpochReady.ts';
import type { EpochShares as _fedcredit_v1_EpochShares, EpochShares__Output as _fedcredit_v1_EpochShares__Output } from './fedcredit/v1/EpochShares.ts';
import type { FetchRequest as _fedcredit_v1_FetchRequest, FetchRequest__Output as _fedcredit_v1_FetchRequest__Output } from './fedcredit/v1/FetchRequest.ts';
import type { FetchedChunk as _fedcredit_v1_FetchedChunk, FetchedChunk__Output as _fedcredit_v1_FetchedChunk__Output } from './fedcredit/v1/FetchedChunk.ts';
import type { GetRosterRequest as _fedcredit_v1_GetRosterRequest, GetRosterRequest__Output as _fedcredit_v1_GetRosterRequest__Output } from './fedcredit/v1/GetRosterRequest.ts';
import type { Growth as _fedcredit_v1_Growth, Growth__Output as _fedcredit_v1_Growth__Output } from './fedcredit/v1/Growth.ts';
import type { HealthClient as _fedcredit_v1_HealthClient, HealthDefinition as _fedcredit_v1_HealthDefinition } from './fedcredit/v1/Health.ts';
import type { HealthRequest as _fedcredit_v1_HealthRequest, HealthRequest__Output as _fedcredit_v1_HealthRequest__Output } from './fedcredit/v1/HealthRequest.ts';
import type { HealthResponse as _fedcredit_v1_HealthResponse, HealthResponse__Output as _fedcredit_v1_HealthResponse__Output } from './fedcredit/v1/HealthResponse.ts';
import type { Hello as _fedcredit_v1_Hello, Hello__Output as _fedcredit_v1_Hello__Output } from './fedcredit/v1/Hello.ts';
import type { Invalid as _fedcredit_v1_Invalid, Invalid__Output as _fedcredit_v1_Invalid__Output } from './fedcredit/v1/Invalid.ts';
import type { JoinEpoch as _fedcredit_v1_JoinEpoch, JoinEpoch__Output as _fedcredit_v1_JoinEpoch__Output } from './fedcredit/v1/JoinEpoch.ts';
import type { Joined as _fedcredit_v1_Joined, Joined__Output as _fedcredit_v1_Joined__Output } from './fedcredit/v1/Joined.ts';
import type { Lift as _fedcredit_v1_Lift, Lift__Output as _fedcredit_v1_Lift__Output } from './fedcredit/v1/Lift.ts';
import type { ListCasesRequest as _fedcredit_v1_ListCasesRequest, ListCasesRequest__Output as _fedcredit_v1_ListCasesRequest__Output } from './fedcredit/v1/ListCasesRequest.ts';
import type { ListCasesResponse as _fedcredit_v1_ListCasesResponse, ListCasesResponse__Output as _fedcredit_v1_ListCasesResponse__Output } from './fedcredit/v1/ListCasesResponse.ts';
import type { ListEnterprisesRequest as _fedcredit_v1_ListEnterprisesRequest, ListEnterprisesRequest__Output as _fedcredit_v1_ListEnterprisesRequest__Output } from './fedcredit/v1/ListEnterprisesRequest.ts';
import type { ListEnterprisesResponse as _fedcredit_v1_ListEnterprisesResponse, ListEnterprisesResponse__Output as _fedcredit_v1_ListEnterprisesResponse__Output } from './fedcredit/v1/ListEnterprisesResponse.ts';
import type { ListModelsRequest as _fedcredit_v1_ListModelsRequest, ListModelsRequest__Output as _fedcredit_v1_ListModelsRequest__Output } from './fedcredit/v1/ListModelsRequest.ts';
import type { ListModelsResponse as _fedcredit_v1_ListModelsResponse, ListModelsResponse__Output as _fedcredit_v1_ListModelsResponse__Output } from './fedcredit/v1/ListModelsResponse.ts';
import type { ListOperatorsRequest as _fedcredit_v1_ListOperatorsRequest, ListOperatorsRequest__Output as _fedcredit_v1_ListOperatorsRequest__Output } from './fedcredit/v1/ListOperatorsRequest.ts';
import type { ListOperatorsResponse as _fedcredit_v1_ListOperatorsResponse, ListOperatorsResponse__Output as _fedcredit_v1_ListOperatorsResponse__Output } from './fedcredit/v1/ListOperatorsResponse.ts';
import type { ListStatementsRequest as _fedcredit_v1_ListStatementsRequest, ListStatementsRequest__Output as _fedcredit_v1_ListStatementsRequest__Output } from './fedcredit/v1/ListStatementsRequest.ts';
import type { ListStatementsResponse as _fedcredit_v1_ListStatementsResponse, ListStatementsResponse__Output as _fedcredit_v1_ListStatementsResponse__Output } from './fedcredit/v1/ListStatementsResponse.ts';
import type { ListStudiesRequest as _fedcredit_v1_ListStudiesRequest, ListStudiesRequest__Output as _fedcredit_v1_ListStudiesRequest__Output } from './fedcredit/v1/ListStudiesRequest.ts';
import type { ListStudiesResponse as _fedcredit_v1_ListStudiesResponse, ListStudiesResponse__Output as _fedcredit_v1_ListStudiesResponse__Output } from './fedcredit/v1/ListStudiesResponse.ts';
import type { ListUsersRequest as _fedcredit_v1_ListUsersRequest, ListUsersRequest__Output as _fedcredit_v1_ListUsersRequest__Output } from './fedcredit/v1/ListUsersRequest.ts';
import type { ListUsersResponse as _fedcredit_v1_ListUsersResponse, ListUsersResponse__Output as _fedcredit_v1_ListUsersResponse__Output } from './fedcredit/v1/ListUsersResponse.ts';
import type { Manifest as _fedcredit_v1_Manifest, Manifest__Output as _fedcredit_v1_Manifest__Output } from './fedcredit/v1/Manifest.ts';
import type { MembershipClient as _fedcredit_v1_MembershipClient, MembershipDefinition as _fedcredit_v1_MembershipDefinition } from './fedcredit/v1/Membership.ts';
import type { Model as _fedcredit_v1_Model, Model__Output as _fedcredit_v1_Model__Output } from './fedcredit/v1/Model.ts';
import type { ModelOrder as _fedcredit_v1_ModelOrder, ModelOrder__Output as _fedcredit_v1_ModelOrder__Output } from './fedcredit/v1/ModelOrder.ts';
import type { Open as _fedcredit_v1_Open, Open__Output as _fedcredit_v1_Open__Output } from './fedcredit/v1/Open.ts';
import type { OpenEpoch as _fedcredit_v1_OpenEpoch, OpenEpoch__Output as _fedcredit_v1_OpenEpoch__Output } from './fedcredit/v1/OpenEpoch.ts';
import type { OpenedNonce as _fedcredit_v1_OpenedNonce, OpenedNonce__Output as _fedcredit_v1_OpenedNonce__Output } from './fedcredit/v1/OpenedNonce.ts';
import type { Operator as _fedcredit_v1_Operator, Operator__Output as _fedcredit_v1_Operator__Output } from './fedcredit/v1/Operator.ts';
import type { PartyMessage as _fedcredit_v1_PartyMessage, PartyMessage__Output as _fedcredit_v1_PartyMessage__Output } from './fedcredit/v1/PartyMessage.ts';
import type { PartySignature as _fedcredit_v1_PartySignature, PartySignature__Output as _fedcredit_v1_PartySignature__Output } from './fedcredit/v1/PartySignature.ts';
import type { PruneRequest as _fedcredit_v1_PruneRequest, PruneRequest__Output as _fedcredit_v1_PruneRequest__Output } from './fedcredit/v1/PruneRequest.ts';
import type { PruneResponse as _fedcredit_v1_PruneResponse, PruneResponse__Output as _fedcredit_v1_PruneResponse__Output } from './fedcredit/v1/PruneResponse.ts';
import type { RecoverRequest as _fedcredit_v1_RecoverRequest, RecoverRequest__Output as _fedcredit_v1_RecoverRequest__Output } from './fedcredit/v1/RecoverRequest.ts';
import type { Refuse as _fedcredit_v1_Refuse, Refuse__Output as _fedcredit_v1_Refuse__Output } from './fedcredit/v1/Refuse.ts';
import type { RefuseEpoch as _fedcredit_v1_RefuseEpoch, RefuseEpoch__Output as _fedcredit_v1_RefuseEpoch__Output } from './fedcredit/v1/RefuseEpoch.ts';
import type { RegisteredModel as _fedcredit_v1_RegisteredModel, RegisteredModel__Output as _fedcredit_v1_RegisteredModel__Output } from './fedcredit/v1/RegisteredModel.ts';
import type { RegistryClient as _fedcredit_v1_RegistryClient, RegistryDefinition as _fedcredit_v1_RegistryDefinition } from './fedcredit/v1/Registry.ts';
import type { Released as _fedcredit_v1_Released, Released__Output as _fedcredit_v1_Released__Output } from './fedcredit/v1/Released.ts';
import type { RemoveOperatorRequest as _fedcredit_v1_RemoveOperatorRequest, RemoveOperatorRequest__Output as _fedcredit_v1_RemoveOperatorRequest__Output } from './fedcredit/v1/RemoveOperatorRequest.ts';
import type { RemoveRequest as _fedcredit_v1_RemoveRequest, RemoveRequest__Output as _fedcredit_v1_RemoveRequest__Output } from './fedcredit/v1/RemoveRequest.ts';
import type { RenewAuthorityRequest as _fedcredit_v1_RenewAuthorityRequest, RenewAuthorityRequest__Output as _fedcredit_v1_RenewAuthorityRequest__Output } from './fedcredit/v1/RenewAuthorityRequest.ts';
import type { RenewAuthorityResponse as _fedcredit_v1_RenewAuthorityResponse, RenewAuthorityResponse__Output as _fedcredit_v1_RenewAuthorityResponse__Output } from './fedcredit/v1/RenewAuthorityResponse.ts';
import type { RenewRequest as _fedcredit_v1_RenewRequest, RenewRequest__Output as _fedcredit_v1_RenewRequest__Output } from './fedcredit/v1/RenewRequest.ts';
import type { RenewResponse as _fedcredit_v1_RenewResponse, RenewResponse__Output as _fedcredit_v1_RenewResponse__Output } from './fedcredit/v1/RenewResponse.ts';
import type { Renounce as _fedcredit_v1_Renounce, Renounce__Output as _fedcredit_v1_Renounce__Output } from './fedcredit/v1/Renounce.ts';
import type { Renounced as _fedcredit_v1_Renounced, Renounced__Output as _fedcredit_v1_Renounced__Output } from './fedcredit/v1/Renounced.ts';
import type { RetireRequest as _fedcredit_v1_RetireRequest, RetireRequest__Output as _fedcredit_v1_RetireRequest__Output } from './fedcredit/v1/RetireRequest.ts';
import type { RevealedMaskSecret as _fedcredit_v1_RevealedMaskSecret, RevealedMaskSecret__Output as _fedcredit_v1_RevealedMaskSecret__Output } from './fedcredit/v1/RevealedMaskSecret.ts';
import type { RevealedSeed as _fedcredit_v1_RevealedSeed, RevealedSeed__Output as _fedcredit_v1_RevealedSeed__Output } from './fedcredit/v1/RevealedSeed.ts';
import type { RevealedShare as _fedcredit_v1_RevealedShare, RevealedShare__Output as _fedcredit_v1_RevealedShare__Output } from './fedcredit/v1/RevealedShare.ts';
import type { RevokeRequest as _fedcredit_v1_RevokeRequest, RevokeRequest__Output as _fedcredit_v1_RevokeRequest__Output } from './fedcredit/v1/RevokeRequest.ts';
import type { RevokeResponse as _fedcredit_v1_RevokeResponse, RevokeResponse__Output as _fedcredit_v1_RevokeResponse__Output } from './fedcredit/v1/RevokeResponse.ts';
import type { Roster as _fedcredit_v1_Roster, Roster__Output as _fedcredit_v1_Roster__Output } from './fedcredit/v1/Roster.ts';
import type { RotateBankKeyRequest as _fedcredit_v1_RotateBankKeyRequest, RotateBankKeyRequest__Output as _fedcredit_v1_RotateBankKeyRequest__Output } from './fedcredit/v1/RotateBankKeyRequest.ts';
import type { RoundsClient as _fedcredit_v1_RoundsClient, RoundsDefinition as _fedcredit_v1_RoundsDefinition } from './fedcredit/v1/Rounds.ts';
import type { ScoreStatement as _fedcredit_v1_ScoreStatement, ScoreStatement__Output as _fedcredit_v1_ScoreStatement__Output } from './fedcredit/v1/ScoreStatement.ts';
import type { ScoresClient as _fedcredit_v1_ScoresClient, ScoresDefinition as _fedcredit_v1_ScoresDefinition } from './fedcredit/v1/Scores.ts';
import type { SealedKey as _fedcredit_v1_SealedKey, SealedKey__Output as _fedcredit_v1_SealedKey__Output } from './fedcredit/v1/SealedKey.ts';
import type { SealedShares as _fedcredit_v1_SealedShares, SealedShares__Output as _fedcredit_v1_SealedShares__Output } from './fedcredit/v1/SealedShares.ts';
import type { ShareEpoch as _fedcredit_v1_ShareEpoch, ShareEpoch__Output as _fedcredit_v1_ShareEpoch__Output } from './fedcredit/v1/ShareEpoch.ts';
import type { StudiesClient as _fedcredit_v1_StudiesClient, StudiesDefinition as _fedcredit_v1_StudiesDefinition } from './fedcredit/v1/Studies.ts';
import type { StudyCheck as _fedcredit_v1_StudyCheck, StudyCheck__Output as _fedcredit_v1_StudyCheck__Output } from './fedcredit/v1/StudyCheck.ts';
import type { StudyFault as _fedcredit_v1_StudyFault, StudyFault__Output as _fedcredit_v1_StudyFault__Output } from './fedcredit/v1/StudyFault.ts';
import type { StudyInspection as _fedcredit_v1_StudyInspection, StudyInspection__Output as _fedcredit_v1_StudyInspection__Output } from './fedcredit/v1/StudyInspection.ts';
import type { StudyMember as _fedcredit_v1_StudyMember, StudyMember__Output as _fedcredit_v1_StudyMember__Output } from './fedcredit/v1/StudyMember.ts';
import type { StudyProblem as _fedcredit_v1_StudyProblem, StudyProblem__Output as _fedcredit_v1_StudyProblem__Output } from './fedcredit/v1/StudyProblem.ts';
import type { StudyRequest as _fedcredit_v1_StudyRequest, StudyRequest__Output as _fedcredit_v1_StudyRequest__Output } from './fedcredit/v1/StudyRequest.ts';
import type { StudyStatus as _fedcredit_v1_StudyStatus, StudyStatus__Output as _fedcredit_v1_StudyStatus__Output } from './fedcredit/v1/StudyStatus.ts';
import type { Submit as _fedcredit_v1_Submit, Submit__Output as _fedcredit_v1_Submit__Output } from './fedcredit/v1/Submit.ts';
import type { SubmittedChunks as _fedcredit_v1_SubmittedChunks, SubmittedChunks__Output as _fedcredit_v1_SubmittedChunks__Output } from './fedcredit/v1/SubmittedChunks.ts';
import type { SuccessionRequest as _fedcredit_v1_SuccessionRequest, SuccessionRequest__Output as _fedcredit_v1_SuccessionRequest__Output } from './fedcredit/v1/SuccessionRequest.ts';
import type { SumCertificate as _fedcredit_v1_SumCertificate, SumCertificate__Output as _fedcredit_v1_SumCertificate__Output } from './fedcredit/v1/SumCertificate.ts';
import type { Survivor as _fedcredit_v1_Survivor, Survivor__Output as _fedcredit_v1_Survivor__Output } from './fedcredit/v1/Survivor.ts';
import type { Survivors as _fedcredit_v1_Survivors, Survivors__Output as _fedcredit_v1_Survivors__Output } from './fedcredit/v1/Survivors.ts';
import type { TakenStatement as _fedcredit_v1_TakenStatement, TakenStatement__Output as _fedcredit_v1_TakenStatement__Output } from './fedcredit/v1/TakenStatement.ts';
import type { ToldWarning as _fedcredit_v1_ToldWarning, ToldWarning__Output as _fedcredit_v1_ToldWarning__Output } from './fedcredit/v1/ToldWarning.ts';
import type { Unmask as _fedcredit_v1_Unmask, Unmask__Output as _fedcredit_v1_Unmask__Output } from './fedcredit/v1/Unmask.ts';
import type { UploadChunk as _fedcredit_v1_UploadChunk, UploadChunk__Output as _fedcredit_v1_UploadChunk__Output } from './fedcredit/v1/UploadChunk.ts';
import type { User as _fedcredit_v1_User, User__Output as _fedcredit_v1_User__Output } from './fedcredit/v1/User.ts';
import type { UserRequest as _fedcredit_v1_UserRequest, UserRequest__Output as _fedcredit_v1_UserRequest__Output } from './fedcredit/v1/UserRequest.ts';
import type { UserResponse as _fedcredit_v1_UserResponse, UserResponse__Output as _fedcredit_v1_UserResponse__Output } from './fedcredit/v1/UserResponse.ts';
import type { WarningList as _fedcredit_v1_WarningList, WarningList__Output as _fedcredit_v1_WarningList__Output } from './fedcredit/v1/WarningList.ts';
import type { WarningQuery as _fedcredit_v1_WarningQuery, WarningQuery__Output as _fedcredit_v1_WarningQuery__Output } from './fedcredit/v1/WarningQuery.ts';
import type { WarningReport as _fedcredit_v1_WarningReport, WarningReport__Output as _fedcredit_v1_WarningReport__Output } from './fedcredit/v1/WarningReport.ts';
import type { WarningReported as _fedcredit_v1_WarningReported, WarningReported__Output as _fedcredit_v1_WarningReported__Output } from './fedcredit/v1/WarningReported.ts';
import type { WarningTerms as _fedcredit_v1_WarningTerms, WarningTerms__Output as _fedcredit_v1_WarningTerms__Output } from './fedcredit/v1/WarningTerms.ts';
import type { WarningTermsRequest as _fedcredit_v1_WarningTermsRequest, WarningTermsRequest__Output as _fedcredit_v1_WarningTermsRequest__Output } from './fedcredit/v1/WarningTermsRequest.ts';
import type { WarningsClient as _fedcredit_v1_WarningsClient, WarningsDefinition as _fedcredit_v1_WarningsDefinition } from './fedcredit/v1/Warnings.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  fedcredit: {
    v1: {
      Accuse: MessageTypeDefinition<_fedcredit_v1_Accuse, _fedcredit_v1_Accuse__Output>
      AddOperatorRequest: MessageTypeDefinition<_fedcredit_v1_AddOperatorRequest, _fedcredit_v1_AddOperatorRequest__Output>
      AddUserRequest: MessageTypeDefinition<_fedcredit_v1_AddUserRequest, _fedcredit_v1_AddUserRequest__Output>
      AddUserResponse: MessageTypeDefinition<_fedcredit_v1_AddUserResponse, _fedcredit_v1_AddUserResponse__Output>
      AdmitRequest: MessageTypeDefinition<_fedcredit_v1_AdmitRequest, _fedcredit_v1_AdmitRequest__Output>
      Aggregate: MessageTypeDefinition<_fedcredit_v1_Aggregate, _fedcredit_v1_Aggregate__Output>
      Agree: MessageTypeDefinition<_fedcredit_v1_Agree, _fedcredit_v1_Agree__Output>
      Agreed: MessageTypeDefinition<_fedcredit_v1_Agreed, _fedcredit_v1_Agreed__Output>
      Agreement: MessageTypeDefinition<_fedcredit_v1_Agreement, _fedcredit_v1_Agreement__Output>
      AlgorithmCost: MessageTypeDefinition<_fedcredit_v1_AlgorithmCost, _fedcredit_v1_AlgorithmCost__Output>
      AnswerComplaint: MessageTypeDefinition<_fedcredit_v1_AnswerComplaint, _fedcredit_v1_AnswerComplaint__Output>
      BlobRequest: MessageTypeDefinition<_fedcredit_v1_BlobRequest, _fedcredit_v1_BlobRequest__Output>
      BlobStatus: MessageTypeDefinition<_fedcredit_v1_BlobStatus, _fedcredit_v1_BlobStatus__Output>
      Blobs: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_BlobsClient> & { service: _fedcredit_v1_BlobsDefinition }
      Case: MessageTypeDefinition<_fedcredit_v1_Case, _fedcredit_v1_Case__Output>
      CaseEvent: MessageTypeDefinition<_fedcredit_v1_CaseEvent, _fedcredit_v1_CaseEvent__Output>
      CaseOrder: MessageTypeDefinition<_fedcredit_v1_CaseOrder, _fedcredit_v1_CaseOrder__Output>
      CaseRequest: MessageTypeDefinition<_fedcredit_v1_CaseRequest, _fedcredit_v1_CaseRequest__Output>
      Certificate: MessageTypeDefinition<_fedcredit_v1_Certificate, _fedcredit_v1_Certificate__Output>
      CertificatesRequest: MessageTypeDefinition<_fedcredit_v1_CertificatesRequest, _fedcredit_v1_CertificatesRequest__Output>
      Closed: MessageTypeDefinition<_fedcredit_v1_Closed, _fedcredit_v1_Closed__Output>
      ComplainEpoch: MessageTypeDefinition<_fedcredit_v1_ComplainEpoch, _fedcredit_v1_ComplainEpoch__Output>
      ConfirmEpoch: MessageTypeDefinition<_fedcredit_v1_ConfirmEpoch, _fedcredit_v1_ConfirmEpoch__Output>
      ConsentRequest: MessageTypeDefinition<_fedcredit_v1_ConsentRequest, _fedcredit_v1_ConsentRequest__Output>
      CoordinatorMessage: MessageTypeDefinition<_fedcredit_v1_CoordinatorMessage, _fedcredit_v1_CoordinatorMessage__Output>
      CreateTokenRequest: MessageTypeDefinition<_fedcredit_v1_CreateTokenRequest, _fedcredit_v1_CreateTokenRequest__Output>
      CreateTokenResponse: MessageTypeDefinition<_fedcredit_v1_CreateTokenResponse, _fedcredit_v1_CreateTokenResponse__Output>
      DealtKey: MessageTypeDefinition<_fedcredit_v1_DealtKey, _fedcredit_v1_DealtKey__Output>
      Decision: MessageTypeDefinition<_fedcredit_v1_Decision, _fedcredit_v1_Decision__Output>
      EnrolRequest: MessageTypeDefinition<_fedcredit_v1_EnrolRequest, _fedcredit_v1_EnrolRequest__Output>
      EnrolResponse: MessageTypeDefinition<_fedcredit_v1_EnrolResponse, _fedcredit_v1_EnrolResponse__Output>
      Enrolment: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_EnrolmentClient> & { service: _fedcredit_v1_EnrolmentDefinition }
      Enterprise: MessageTypeDefinition<_fedcredit_v1_Enterprise, _fedcredit_v1_Enterprise__Output>
      EpochDealt: MessageTypeDefinition<_fedcredit_v1_EpochDealt, _fedcredit_v1_EpochDealt__Output>
      EpochFailed: MessageTypeDefinition<_fedcredit_v1_EpochFailed, _fedcredit_v1_EpochFailed__Output>
      EpochJoined: MessageTypeDefinition<_fedcredit_v1_EpochJoined, _fedcredit_v1_EpochJoined__Output>
      EpochNonce: MessageTypeDefinition<_fedcredit_v1_EpochNonce, _fedcredit_v1_EpochNonce__Output>
      EpochNonces: MessageTypeDefinition<_fedcredit_v1_EpochNonces, _fedcredit_v1_EpochNonces__Output>
      EpochReady: MessageTypeDefinition<_fedcredit_v1_EpochReady, _fedcredit_v1_EpochReady__Output>
      EpochShares: MessageTypeDefinition<_fedcredit_v1_EpochShares, _fedcredit_v1_EpochShares__Output>
      FetchRequest: MessageTypeDefinition<_fedcredit_v1_FetchRequest, _fedcredit_v1_FetchRequest__Output>
      FetchedChunk: MessageTypeDefinition<_fedcredit_v1_FetchedChunk, _fedcredit_v1_FetchedChunk__Output>
      GetRosterRequest: MessageTypeDefinition<_fedcredit_v1_GetRosterRequest, _fedcredit_v1_GetRosterRequest__Output>
      Growth: MessageTypeDefinition<_fedcredit_v1_Growth, _fedcredit_v1_Growth__Output>
      Health: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_HealthClient> & { service: _fedcredit_v1_HealthDefinition }
      HealthRequest: MessageTypeDefinition<_fedcredit_v1_HealthRequest, _fedcredit_v1_HealthRequest__Output>
      HealthResponse: MessageTypeDefinition<_fedcredit_v1_HealthResponse, _fedcredit_v1_HealthResponse__Output>
      Hello: MessageTypeDefinition<_fedcredit_v1_Hello, _fedcredit_v1_Hello__Output>
      Invalid: MessageTypeDefinition<_fedcredit_v1_Invalid, _fedcredit_v1_Invalid__Output>
      JoinEpoch: MessageTypeDefinition<_fedcredit_v1_JoinEpoch, _fedcredit_v1_JoinEpoch__Output>
      Joined: MessageTypeDefinition<_fedcredit_v1_Joined, _fedcredit_v1_Joined__Output>
      Lift: MessageTypeDefinition<_fedcredit_v1_Lift, _fedcredit_v1_Lift__Output>
      ListCasesRequest: MessageTypeDefinition<_fedcredit_v1_ListCasesRequest, _fedcredit_v1_ListCasesRequest__Output>
      ListCasesResponse: MessageTypeDefinition<_fedcredit_v1_ListCasesResponse, _fedcredit_v1_ListCasesResponse__Output>
      ListEnterprisesRequest: MessageTypeDefinition<_fedcredit_v1_ListEnterprisesRequest, _fedcredit_v1_ListEnterprisesRequest__Output>
      ListEnterprisesResponse: MessageTypeDefinition<_fedcredit_v1_ListEnterprisesResponse, _fedcredit_v1_ListEnterprisesResponse__Output>
      ListModelsRequest: MessageTypeDefinition<_fedcredit_v1_ListModelsRequest, _fedcredit_v1_ListModelsRequest__Output>
      ListModelsResponse: MessageTypeDefinition<_fedcredit_v1_ListModelsResponse, _fedcredit_v1_ListModelsResponse__Output>
      ListOperatorsRequest: MessageTypeDefinition<_fedcredit_v1_ListOperatorsRequest, _fedcredit_v1_ListOperatorsRequest__Output>
      ListOperatorsResponse: MessageTypeDefinition<_fedcredit_v1_ListOperatorsResponse, _fedcredit_v1_ListOperatorsResponse__Output>
      ListStatementsRequest: MessageTypeDefinition<_fedcredit_v1_ListStatementsRequest, _fedcredit_v1_ListStatementsRequest__Output>
      ListStatementsResponse: MessageTypeDefinition<_fedcredit_v1_ListStatementsResponse, _fedcredit_v1_ListStatementsResponse__Output>
      ListStudiesRequest: MessageTypeDefinition<_fedcredit_v1_ListStudiesRequest, _fedcredit_v1_ListStudiesRequest__Output>
      ListStudiesResponse: MessageTypeDefinition<_fedcredit_v1_ListStudiesResponse, _fedcredit_v1_ListStudiesResponse__Output>
      ListUsersRequest: MessageTypeDefinition<_fedcredit_v1_ListUsersRequest, _fedcredit_v1_ListUsersRequest__Output>
      ListUsersResponse: MessageTypeDefinition<_fedcredit_v1_ListUsersResponse, _fedcredit_v1_ListUsersResponse__Output>
      Manifest: MessageTypeDefinition<_fedcredit_v1_Manifest, _fedcredit_v1_Manifest__Output>
      Membership: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_MembershipClient> & { service: _fedcredit_v1_MembershipDefinition }
      Model: MessageTypeDefinition<_fedcredit_v1_Model, _fedcredit_v1_Model__Output>
      ModelOrder: MessageTypeDefinition<_fedcredit_v1_ModelOrder, _fedcredit_v1_ModelOrder__Output>
      Open: MessageTypeDefinition<_fedcredit_v1_Open, _fedcredit_v1_Open__Output>
      OpenEpoch: MessageTypeDefinition<_fedcredit_v1_OpenEpoch, _fedcredit_v1_OpenEpoch__Output>
      OpenedNonce: MessageTypeDefinition<_fedcredit_v1_OpenedNonce, _fedcredit_v1_OpenedNonce__Output>
      Operator: MessageTypeDefinition<_fedcredit_v1_Operator, _fedcredit_v1_Operator__Output>
      PartyMessage: MessageTypeDefinition<_fedcredit_v1_PartyMessage, _fedcredit_v1_PartyMessage__Output>
      PartySignature: MessageTypeDefinition<_fedcredit_v1_PartySignature, _fedcredit_v1_PartySignature__Output>
      PruneRequest: MessageTypeDefinition<_fedcredit_v1_PruneRequest, _fedcredit_v1_PruneRequest__Output>
      PruneResponse: MessageTypeDefinition<_fedcredit_v1_PruneResponse, _fedcredit_v1_PruneResponse__Output>
      RecoverRequest: MessageTypeDefinition<_fedcredit_v1_RecoverRequest, _fedcredit_v1_RecoverRequest__Output>
      Refuse: MessageTypeDefinition<_fedcredit_v1_Refuse, _fedcredit_v1_Refuse__Output>
      RefuseEpoch: MessageTypeDefinition<_fedcredit_v1_RefuseEpoch, _fedcredit_v1_RefuseEpoch__Output>
      RegisteredModel: MessageTypeDefinition<_fedcredit_v1_RegisteredModel, _fedcredit_v1_RegisteredModel__Output>
      Registry: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_RegistryClient> & { service: _fedcredit_v1_RegistryDefinition }
      Released: MessageTypeDefinition<_fedcredit_v1_Released, _fedcredit_v1_Released__Output>
      RemoveOperatorRequest: MessageTypeDefinition<_fedcredit_v1_RemoveOperatorRequest, _fedcredit_v1_RemoveOperatorRequest__Output>
      RemoveRequest: MessageTypeDefinition<_fedcredit_v1_RemoveRequest, _fedcredit_v1_RemoveRequest__Output>
      RenewAuthorityRequest: MessageTypeDefinition<_fedcredit_v1_RenewAuthorityRequest, _fedcredit_v1_RenewAuthorityRequest__Output>
      RenewAuthorityResponse: MessageTypeDefinition<_fedcredit_v1_RenewAuthorityResponse, _fedcredit_v1_RenewAuthorityResponse__Output>
      RenewRequest: MessageTypeDefinition<_fedcredit_v1_RenewRequest, _fedcredit_v1_RenewRequest__Output>
      RenewResponse: MessageTypeDefinition<_fedcredit_v1_RenewResponse, _fedcredit_v1_RenewResponse__Output>
      Renounce: MessageTypeDefinition<_fedcredit_v1_Renounce, _fedcredit_v1_Renounce__Output>
      Renounced: MessageTypeDefinition<_fedcredit_v1_Renounced, _fedcredit_v1_Renounced__Output>
      RetireRequest: MessageTypeDefinition<_fedcredit_v1_RetireRequest, _fedcredit_v1_RetireRequest__Output>
      RevealedMaskSecret: MessageTypeDefinition<_fedcredit_v1_RevealedMaskSecret, _fedcredit_v1_RevealedMaskSecret__Output>
      RevealedSeed: MessageTypeDefinition<_fedcredit_v1_RevealedSeed, _fedcredit_v1_RevealedSeed__Output>
      RevealedShare: MessageTypeDefinition<_fedcredit_v1_RevealedShare, _fedcredit_v1_RevealedShare__Output>
      RevokeRequest: MessageTypeDefinition<_fedcredit_v1_RevokeRequest, _fedcredit_v1_RevokeRequest__Output>
      RevokeResponse: MessageTypeDefinition<_fedcredit_v1_RevokeResponse, _fedcredit_v1_RevokeResponse__Output>
      Roster: MessageTypeDefinition<_fedcredit_v1_Roster, _fedcredit_v1_Roster__Output>
      RotateBankKeyRequest: MessageTypeDefinition<_fedcredit_v1_RotateBankKeyRequest, _fedcredit_v1_RotateBankKeyRequest__Output>
      Rounds: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_RoundsClient> & { service: _fedcredit_v1_RoundsDefinition }
      ScoreStatement: MessageTypeDefinition<_fedcredit_v1_ScoreStatement, _fedcredit_v1_ScoreStatement__Output>
      Scores: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_ScoresClient> & { service: _fedcredit_v1_ScoresDefinition }
      SealedKey: MessageTypeDefinition<_fedcredit_v1_SealedKey, _fedcredit_v1_SealedKey__Output>
      SealedShares: MessageTypeDefinition<_fedcredit_v1_SealedShares, _fedcredit_v1_SealedShares__Output>
      ShareEpoch: MessageTypeDefinition<_fedcredit_v1_ShareEpoch, _fedcredit_v1_ShareEpoch__Output>
      Studies: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_StudiesClient> & { service: _fedcredit_v1_StudiesDefinition }
      StudyCheck: MessageTypeDefinition<_fedcredit_v1_StudyCheck, _fedcredit_v1_StudyCheck__Output>
      StudyFault: MessageTypeDefinition<_fedcredit_v1_StudyFault, _fedcredit_v1_StudyFault__Output>
      StudyInspection: MessageTypeDefinition<_fedcredit_v1_StudyInspection, _fedcredit_v1_StudyInspection__Output>
      StudyMember: MessageTypeDefinition<_fedcredit_v1_StudyMember, _fedcredit_v1_StudyMember__Output>
      StudyProblem: MessageTypeDefinition<_fedcredit_v1_StudyProblem, _fedcredit_v1_StudyProblem__Output>
      StudyRequest: MessageTypeDefinition<_fedcredit_v1_StudyRequest, _fedcredit_v1_StudyRequest__Output>
      StudyStatus: MessageTypeDefinition<_fedcredit_v1_StudyStatus, _fedcredit_v1_StudyStatus__Output>
      Submit: MessageTypeDefinition<_fedcredit_v1_Submit, _fedcredit_v1_Submit__Output>
      SubmittedChunks: MessageTypeDefinition<_fedcredit_v1_SubmittedChunks, _fedcredit_v1_SubmittedChunks__Output>
      SuccessionRequest: MessageTypeDefinition<_fedcredit_v1_SuccessionRequest, _fedcredit_v1_SuccessionRequest__Output>
      SumCertificate: MessageTypeDefinition<_fedcredit_v1_SumCertificate, _fedcredit_v1_SumCertificate__Output>
      Survivor: MessageTypeDefinition<_fedcredit_v1_Survivor, _fedcredit_v1_Survivor__Output>
      Survivors: MessageTypeDefinition<_fedcredit_v1_Survivors, _fedcredit_v1_Survivors__Output>
      TakenStatement: MessageTypeDefinition<_fedcredit_v1_TakenStatement, _fedcredit_v1_TakenStatement__Output>
      ToldWarning: MessageTypeDefinition<_fedcredit_v1_ToldWarning, _fedcredit_v1_ToldWarning__Output>
      Unmask: MessageTypeDefinition<_fedcredit_v1_Unmask, _fedcredit_v1_Unmask__Output>
      UploadChunk: MessageTypeDefinition<_fedcredit_v1_UploadChunk, _fedcredit_v1_UploadChunk__Output>
      User: MessageTypeDefinition<_fedcredit_v1_User, _fedcredit_v1_User__Output>
      UserRequest: MessageTypeDefinition<_fedcredit_v1_UserRequest, _fedcredit_v1_UserRequest__Output>
      UserResponse: MessageTypeDefinition<_fedcredit_v1_UserResponse, _fedcredit_v1_UserResponse__Output>
      WarningList: MessageTypeDefinition<_fedcredit_v1_WarningList, _fedcredit_v1_WarningList__Output>
      WarningQuery: MessageTypeDefinition<_fedcredit_v1_WarningQuery, _fedcredit_v1_WarningQuery__Output>
      WarningReport: MessageTypeDefinition<_fedcredit_v1_WarningReport, _fedcredit_v1_WarningReport__Output>
      WarningReported: MessageTypeDefinition<_fedcredit_v1_WarningReported, _fedcredit_v1_WarningReported__Output>
      WarningTerms: MessageTypeDefinition<_fedcredit_v1_WarningTerms, _fedcredit_v1_WarningTerms__Output>
      WarningTermsRequest: MessageTypeDefinition<_fedcredit_v1_WarningTermsRequest, _fedcredit_v1_WarningTermsRequest__Output>
      Warnings: SubtypeConstructor<typeof grpc.Client, _fedcredit_v1_WarningsClient> & { service: _fedcredit_v1_WarningsDefinition }
    }
  }
}

