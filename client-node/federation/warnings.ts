import { canonicalBytes, digestOf } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { parsePublic } from "../../models/parameters.ts";
import { noteSigner } from "../../privacy/log/note.ts";
import { mostReported, reportBytes, signStatement, termsDigest } from "../../privacy/warnings/report.ts";
import {
  type CoarseWarning,
  checkTerms,
  coarseKey,
  coarsen,
  type RaisedWarning,
  type WarningTerms,
  warningTermsSchema,
} from "../../privacy/warnings/terms.ts";
import { refusalOf, Warnings } from "../../proto/wire.ts";
import { consentedSince, rememberTold, wasTold } from "../ledger/told-warnings.ts";
import type { FederationEvent } from "./events.ts";
import type { StudyDesk } from "./studies.ts";

/** @param since - Unix milliseconds. @returns warnings that were known then or later. */
export type RaisedSince = (since: number) => readonly RaisedWarning[];

type WarningDesk = Pick<StudyDesk, "credentials" | "db" | "now" | "policy" | "transport">;

/** What would be told to the bank now, and under which terms. */
export interface ToTell {
  readonly terms: WarningTerms;
  readonly warnings: readonly CoarseWarning[];
}

/**
 * What of an enterprise's warnings its policy lets the bank know, that was not told before. policy.yaml is read anew.
 *
 * @returns undefined where the policy says nothing of warnings: the bank is then not asked either.
 * @throws Refusal policy_refuses where the bank asks for more than that, consent_expired; not_found where it asks for
 *   none; those of the transport.
 */
export async function warningsToTell(desk: WarningDesk, raised: RaisedSince): Promise<ToTell | undefined> {
  const { db, now, policy, transport } = desk;
  const consent = policy().warnings;
  if (consent === undefined) return undefined;
  const { leastSeverity, keepDays, ...rest } = await transport.call(Warnings.service.GetTerms, {});
  const terms = parsePublic("the bank's terms of warnings", warningTermsSchema, {
    leastSeverity,
    keepDays,
    ...rest,
  });
  checkTerms(terms, consent, now());
  const since = consentedSince(db, digestOf(canonicalBytes({ consent, terms })), now());
  const warnings = coarsen(raised(since), terms, consent).filter((one) => !wasTold(db, coarseKey(one)));
  return { terms, warnings };
}

export interface ReportOptions extends WarningDesk, Pick<StudyDesk, "ledger"> {
  readonly random: Random;
  readonly raised: RaisedSince;
  readonly emit: (event: FederationEvent) => void;
}

/** Tells the bank of warnings, as far as the policy lets it know. What fails is told, and tried again at the next call. */
export class WarningReports {
  readonly #options: ReportOptions;
  #last: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** After a report that is under way, which may have looked too early; resolves when everything until now was told. */
  tell(): Promise<void> {
    this.#waiting ??= this.#last.then(() => {
      this.#waiting = undefined;
      this.#last = this.#tell();
      return this.#last;
    });
    return this.#waiting;
  }

  async #tell(): Promise<void> {
    const { emit, raised } = this.#options;
    try {
      const found = await warningsToTell(this.#options, raised);
      if (found === undefined) return;
      for (let at = 0; at < found.warnings.length; at += mostReported)
        await this.#report(found.terms, found.warnings.slice(at, at + mostReported));
    } catch (error) {
      const { reason, message } = refusalOf(error);
      emit({ type: "warnings", told: 0, reason, message });
    }
  }

  async #report(terms: WarningTerms, warnings: readonly CoarseWarning[]): Promise<void> {
    const { credentials, db, emit, ledger, now, random, transport } = this.#options;
    const { consortium, enterprise, identity } = credentials;
    const salt = Buffer.from(random.bytes(16)).toString("hex");
    const report = reportBytes({ salt, warnings });
    const statement = { consortium, enterprise, terms: termsDigest(terms), report: digestOf(report) };
    const note = signStatement(statement, noteSigner(identity.name, identity.signingSeed));
    // Before it leaves: what the bank logs of it, an auditor finds here.
    ledger.append([
      {
        ...{ type: "warning.raised", time: now(), enterprise, warnings: warnings.length },
        ...{ terms: statement.terms, report: statement.report, statement: note },
      },
    ]);
    await transport.call(Warnings.service.Report, { note, report: Buffer.from(report) });
    rememberTold(db, warnings.map(coarseKey));
    emit({ type: "warnings", told: warnings.length });
  }
}
