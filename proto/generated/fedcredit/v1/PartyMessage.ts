// Original file: proto/federation.proto

import type { Hello as _fedcredit_v1_Hello, Hello__Output as _fedcredit_v1_Hello__Output } from '../../fedcredit/v1/Hello.ts';
import type { JoinEpoch as _fedcredit_v1_JoinEpoch, JoinEpoch__Output as _fedcredit_v1_JoinEpoch__Output } from '../../fedcredit/v1/JoinEpoch.ts';
import type { EpochNonce as _fedcredit_v1_EpochNonce, EpochNonce__Output as _fedcredit_v1_EpochNonce__Output } from '../../fedcredit/v1/EpochNonce.ts';
import type { ShareEpoch as _fedcredit_v1_ShareEpoch, ShareEpoch__Output as _fedcredit_v1_ShareEpoch__Output } from '../../fedcredit/v1/ShareEpoch.ts';
import type { ConfirmEpoch as _fedcredit_v1_ConfirmEpoch, ConfirmEpoch__Output as _fedcredit_v1_ConfirmEpoch__Output } from '../../fedcredit/v1/ConfirmEpoch.ts';
import type { ComplainEpoch as _fedcredit_v1_ComplainEpoch, ComplainEpoch__Output as _fedcredit_v1_ComplainEpoch__Output } from '../../fedcredit/v1/ComplainEpoch.ts';
import type { AnswerComplaint as _fedcredit_v1_AnswerComplaint, AnswerComplaint__Output as _fedcredit_v1_AnswerComplaint__Output } from '../../fedcredit/v1/AnswerComplaint.ts';
import type { RefuseEpoch as _fedcredit_v1_RefuseEpoch, RefuseEpoch__Output as _fedcredit_v1_RefuseEpoch__Output } from '../../fedcredit/v1/RefuseEpoch.ts';
import type { Submit as _fedcredit_v1_Submit, Submit__Output as _fedcredit_v1_Submit__Output } from '../../fedcredit/v1/Submit.ts';
import type { Agree as _fedcredit_v1_Agree, Agree__Output as _fedcredit_v1_Agree__Output } from '../../fedcredit/v1/Agree.ts';
import type { Unmask as _fedcredit_v1_Unmask, Unmask__Output as _fedcredit_v1_Unmask__Output } from '../../fedcredit/v1/Unmask.ts';
import type { Released as _fedcredit_v1_Released, Released__Output as _fedcredit_v1_Released__Output } from '../../fedcredit/v1/Released.ts';
import type { Invalid as _fedcredit_v1_Invalid, Invalid__Output as _fedcredit_v1_Invalid__Output } from '../../fedcredit/v1/Invalid.ts';
import type { Renounced as _fedcredit_v1_Renounced, Renounced__Output as _fedcredit_v1_Renounced__Output } from '../../fedcredit/v1/Renounced.ts';
import type { Refuse as _fedcredit_v1_Refuse, Refuse__Output as _fedcredit_v1_Refuse__Output } from '../../fedcredit/v1/Refuse.ts';

export interface PartyMessage {
  'hello'?: (_fedcredit_v1_Hello | null);
  'joinEpoch'?: (_fedcredit_v1_JoinEpoch | null);
  'epochNonce'?: (_fedcredit_v1_EpochNonce | null);
  'shareEpoch'?: (_fedcredit_v1_ShareEpoch | null);
  'confirmEpoch'?: (_fedcredit_v1_ConfirmEpoch | null);
  'complainEpoch'?: (_fedcredit_v1_ComplainEpoch | null);
  'answerComplaint'?: (_fedcredit_v1_AnswerComplaint | null);
  'refuseEpoch'?: (_fedcredit_v1_RefuseEpoch | null);
  'submit'?: (_fedcredit_v1_Submit | null);
  'agree'?: (_fedcredit_v1_Agree | null);
  'unmask'?: (_fedcredit_v1_Unmask | null);
  'released'?: (_fedcredit_v1_Released | null);
  'invalid'?: (_fedcredit_v1_Invalid | null);
  'renounced'?: (_fedcredit_v1_Renounced | null);
  'refuse'?: (_fedcredit_v1_Refuse | null);
  'message'?: "hello"|"joinEpoch"|"epochNonce"|"shareEpoch"|"confirmEpoch"|"complainEpoch"|"answerComplaint"|"refuseEpoch"|"submit"|"agree"|"unmask"|"released"|"invalid"|"renounced"|"refuse";
}

export interface PartyMessage__Output {
  'hello'?: (_fedcredit_v1_Hello__Output | null);
  'joinEpoch'?: (_fedcredit_v1_JoinEpoch__Output | null);
  'epochNonce'?: (_fedcredit_v1_EpochNonce__Output | null);
  'shareEpoch'?: (_fedcredit_v1_ShareEpoch__Output | null);
  'confirmEpoch'?: (_fedcredit_v1_ConfirmEpoch__Output | null);
  'complainEpoch'?: (_fedcredit_v1_ComplainEpoch__Output | null);
  'answerComplaint'?: (_fedcredit_v1_AnswerComplaint__Output | null);
  'refuseEpoch'?: (_fedcredit_v1_RefuseEpoch__Output | null);
  'submit'?: (_fedcredit_v1_Submit__Output | null);
  'agree'?: (_fedcredit_v1_Agree__Output | null);
  'unmask'?: (_fedcredit_v1_Unmask__Output | null);
  'released'?: (_fedcredit_v1_Released__Output | null);
  'invalid'?: (_fedcredit_v1_Invalid__Output | null);
  'renounced'?: (_fedcredit_v1_Renounced__Output | null);
  'refuse'?: (_fedcredit_v1_Refuse__Output | null);
  'message'?: "hello"|"joinEpoch"|"epochNonce"|"shareEpoch"|"confirmEpoch"|"complainEpoch"|"answerComplaint"|"refuseEpoch"|"submit"|"agree"|"unmask"|"released"|"invalid"|"renounced"|"refuse";
}
