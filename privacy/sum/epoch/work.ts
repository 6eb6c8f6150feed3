/** The heavy effects of opening an epoch, for a runtime to perform where it likes. */
import { forgetSecret } from "../../identity.ts";
import type { Bfv } from "../encryption/bfv.ts";
import type { EpochPartyEffect, EpochPartyEvent } from "./party-state.ts";
import { splitSlots } from "./sharing.ts";

type Of<Union, Type> = Extract<Union, { readonly type: Type }>;

/** @returns the event that answers the effect. */
export async function performPrepare(
  { opening, secrets, holders, threshold, deals }: Of<EpochPartyEffect, "prepare">,
  bfv: Pick<Bfv, "generateKey">,
): Promise<Of<EpochPartyEvent, "prepared">> {
  const bundles = await splitSlots(secrets, holders, threshold);
  return { type: "prepared", opening, bundles, bfvKey: deals ? await bfv.generateKey() : undefined };
}

export function performErase({ secrets }: Of<EpochPartyEffect, "erase">): void {
  for (const secret of secrets) forgetSecret(secret);
}
