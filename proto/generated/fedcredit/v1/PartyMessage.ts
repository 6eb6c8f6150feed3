// Original file: proto/federation.proto

import type { Hello as _fedcredit_v1_Hello, Hello__Output as _fedcredit_v1_Hello__Output } from '../../fedcredit/v1/Hello.ts';
import type { EpochDealt as _fedcredit_v1_EpochDealt, EpochDealt__Output as _fedcredit_v1_EpochDealt__Output } from '../../fedcredit/v1/EpochDealt.ts';
import type { EpochConfirmed as _fedcredit_v1_EpochConfirmed, EpochConfirmed__Output as _fedcredit_v1_EpochConfirmed__Output } from '../../fedcredit/v1/EpochConfirmed.ts';
import type { Advertise as _fedcredit_v1_Advertise, Advertise__Output as _fedcredit_v1_Advertise__Output } from '../../fedcredit/v1/Advertise.ts';
import type { Share as _fedcredit_v1_Share, Share__Output as _fedcredit_v1_Share__Output } from '../../fedcredit/v1/Share.ts';
import type { Submit as _fedcredit_v1_Submit, Submit__Output as _fedcredit_v1_Submit__Output } from '../../fedcredit/v1/Submit.ts';
import type { Agree as _fedcredit_v1_Agree, Agree__Output as _fedcredit_v1_Agree__Output } from '../../fedcredit/v1/Agree.ts';
import type { Unmask as _fedcredit_v1_Unmask, Unmask__Output as _fedcredit_v1_Unmask__Output } from '../../fedcredit/v1/Unmask.ts';
import type { Released as _fedcredit_v1_Released, Released__Output as _fedcredit_v1_Released__Output } from '../../fedcredit/v1/Released.ts';
import type { Refuse as _fedcredit_v1_Refuse, Refuse__Output as _fedcredit_v1_Refuse__Output } from '../../fedcredit/v1/Refuse.ts';

export interface PartyMessage {
  'hello'?: (_fedcredit_v1_Hello | null);
  'epochDealt'?: (_fedcredit_v1_EpochDealt | null);
  'epochConfirmed'?: (_fedcredit_v1_EpochConfirmed | null);
  'advertise'?: (_fedcredit_v1_Advertise | null);
  'share'?: (_fedcredit_v1_Share | null);
  'submit'?: (_fedcredit_v1_Submit | null);
  'agree'?: (_fedcredit_v1_Agree | null);
  'unmask'?: (_fedcredit_v1_Unmask | null);
  'released'?: (_fedcredit_v1_Released | null);
  'refuse'?: (_fedcredit_v1_Refuse | null);
  'message'?: "hello"|"epochDealt"|"epochConfirmed"|"advertise"|"share"|"submit"|"agree"|"unmask"|"released"|"refuse";
}

export interface PartyMessage__Output {
  'hello'?: (_fedcredit_v1_Hello__Output | null);
  'epochDealt'?: (_fedcredit_v1_EpochDealt__Output | null);
  'epochConfirmed'?: (_fedcredit_v1_EpochConfirmed__Output | null);
  'advertise'?: (_fedcredit_v1_Advertise__Output | null);
  'share'?: (_fedcredit_v1_Share__Output | null);
  'submit'?: (_fedcredit_v1_Submit__Output | null);
  'agree'?: (_fedcredit_v1_Agree__Output | null);
  'unmask'?: (_fedcredit_v1_Unmask__Output | null);
  'released'?: (_fedcredit_v1_Released__Output | null);
  'refuse'?: (_fedcredit_v1_Refuse__Output | null);
  'message'?: "hello"|"epochDealt"|"epochConfirmed"|"advertise"|"share"|"submit"|"agree"|"unmask"|"released"|"refuse";
}
