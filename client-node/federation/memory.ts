/** What a node that lost its ledger may still take part in: what began after its new memory did. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseEntry } from "../../privacy/log/entry.ts";
import { Studies } from "../../proto/wire.ts";
import { isRemembered, markRemembered, memorySince } from "../ledger/recoveries.ts";
import { type Witness, witnessEntry } from "./witness.ts";

/**
 * A step that was signed and forgotten would be signed a second time, over other survivors. The bank's word that a
 * study is new is not taken: its proposal has to stand in the log, after the roster with this node's new key.
 *
 * @throws Refusal step_spent; log_forked, unavailable
 */
export async function requireRemembered(witness: Witness, study: Digest): Promise<void> {
  const { db, transport } = witness;
  const since = memorySince(db);
  if (since === undefined || isRemembered(db, study)) return;
  const forgotten = new Refusal(
    "step_spent",
    "the study was proposed before this node lost its ledger: what it signed of it is not known any more",
    { hint: "take part in studies that are proposed from now on" },
  );
  const { entry } = await transport.call(Studies.service.Get, { study: Buffer.from(study, "hex") });
  if (entry <= since) throw forgotten;
  const proposed = parseEntry(await witnessEntry(witness, entry));
  if (proposed.type !== "study.proposed" || proposed.study !== study) throw forgotten;
  markRemembered(db, study);
}
