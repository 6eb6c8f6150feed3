/** Sum certificates as the bank shows them: checked against rosters and key epochs, and against its log. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseEntry } from "../../privacy/log/entry.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { openPastRoster, type Roster } from "../../privacy/roster.ts";
import {
  type CertifiedSum,
  certificateDigest,
  parseCertificate,
  type SumCertificate,
  verifyCertificate,
} from "../../privacy/sum/certificate.ts";
import type { SignedBy } from "../../privacy/sum/epoch/messages.ts";
import { storedSuccessions } from "../ledger/successions.ts";
import type { NodeCredentials } from "./credentials.ts";
import type { Transport } from "./transport.ts";
import { type Witness, witnessEntry } from "./witness.ts";

/** A sum that its certificate proves. */
export interface ProvenSum extends CertifiedSum {
  readonly header: SumCertificate["header"];
}

export interface CertificatesOptions extends Witness {
  readonly transport: Pick<Transport, "call" | "certificates">;
  readonly credentials: NodeCredentials;
}

export class Certificates {
  readonly #options: CertificatesOptions;

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /**
   * @param sums - how many sums of the study are known.
   * @returns the sums after them, in order, as far as they are asked for.
   * @throws Refusal certificate_forged, log_forked, roster_unsigned, unavailable
   */
  async *after(study: Digest, sums: number): AsyncGenerator<ProvenSum> {
    const { credentials, db, transport } = this.#options;
    const successions = storedSuccessions(db, credentials.consortium);
    const [bank, auditor] = [parseVerifierKey(credentials.bankKey), parseVerifierKey(credentials.auditorKey)];
    let roster: Roster | undefined;
    let confirmations: readonly SignedBy[] = [];
    for await (const item of transport.certificates(study, sums)) {
      const certificate = parseCertificate(item.canonicalJson);
      if (item.roster !== "") roster = openPastRoster(item.roster, { successions, bank, auditor });
      if (item.confirmations.length > 0) confirmations = item.confirmations;
      if (roster === undefined) throw new Refusal("certificate_forged", "its roster is not shown");
      const sum = verifyCertificate(certificate, roster, confirmations);
      await this.#requireLogged(certificate, Number(item.entry));
      yield { ...sum, header: certificate.header };
    }
  }

  /** Two certificates of one step can both be genuine: the log holds one of them. */
  async #requireLogged(certificate: SumCertificate, index: number): Promise<void> {
    const entry = parseEntry(await witnessEntry(this.#options, index));
    if (entry.type !== "round.released" || entry.certificate !== certificateDigest(certificate))
      throw new Refusal("certificate_forged", `entry ${index} of the log names another certificate`);
  }
}
