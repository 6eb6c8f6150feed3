import type { PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { PartyRoundMessage } from "../../privacy/sum/messages.ts";

/** What a party says. */
export type Said = PartyRoundMessage | PartyEpochMessage;

/** What a party answers to an instruction. */
export type Reply = PartyRoundMessage | { readonly type: "silence" };
