/**
 * What a study's next round will ask for, worked out while the bank still ends the one before: a survivor knows the
 * sum before it is told that the round has ended. Nothing of it leaves, and every check of the next round comes first.
 */
import type { Digest } from "../../core/canonical.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { StudyState } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import type { ChainHead } from "../ledger/chain.ts";
import type { Statistics } from "./statistics.ts";

export class Ahead {
  readonly #statistics: Pick<Statistics, "contribute">;
  /** The rows of each study's last statistic, as long as somebody else holds them. */
  readonly #rows = new Map<Digest, WeakRef<Table>>();
  readonly #worked = new Map<
    Digest,
    { readonly state: Digest; readonly table: Table; readonly vector: Promise<Float64Array> }
  >();

  constructor(statistics: Pick<Statistics, "contribute">) {
    this.#statistics = statistics;
  }

  /** Begins the statistic of a state that will most likely be the study's, over the rows of the one before. */
  begin(study: Digest, manifest: StudyManifest, { digest: state, state: of }: ChainHead<StudyState>): void {
    const table = this.#rows.get(study)?.deref();
    if (table === undefined) return;
    const vector = this.#statistics.contribute(study, manifest, of, table);
    // Who asks for it hears of it.
    vector.catch(() => {});
    this.#worked.set(study, { state, table, vector });
  }

  /** @returns the statistic of this state over these rows. @throws Refusal those of the algorithm */
  async contribute(
    study: Digest,
    manifest: StudyManifest,
    { digest, state }: Pick<ChainHead<StudyState>, "digest" | "state">,
    table: Table,
  ): Promise<Float64Array> {
    const worked = this.#worked.get(study);
    this.#worked.delete(study);
    this.#rows.set(study, new WeakRef(table));
    const anew = () => this.#statistics.contribute(study, manifest, state, table);
    // What went wrong ahead of time may go right now.
    return worked?.state === digest && worked.table === table ? worked.vector.catch(anew) : anew();
  }

  /** The study has ended. */
  forget(study: Digest): void {
    this.#rows.delete(study);
    this.#worked.delete(study);
  }
}
