/** What enterprises tell of their warnings: type, severity, coarse time and place, under terms that they consented to. */
import { digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { severities } from "../../core/warning-types.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { openStatement, parseReport, termsDigest } from "../../privacy/warnings/report.ts";
import { type CoarseWarning, periodOf, type WarningTerms } from "../../privacy/warnings/terms.ts";
import { currentRoster } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { lockCases, raiseCase } from "../cases/cases.ts";

/** Longer than a node is away; what is older, or to come, was made up or comes of a clock that is wrong. */
const oldestMillis = 92 * 86_400_000;
const clockMillis = 5 * 60_000;
/** Of one enterprise, of one period: kinds × severities × its places, many times over. */
const mostOfPeriod = 500;

/** A warning that an enterprise told of. */
export interface ToldWarning extends CoarseWarning {
  readonly enterprise: string;
  /** When it came, Unix milliseconds. */
  readonly received: number;
}

/** @throws Refusal not_found where the bank asks for none */
export function terms({ config }: Pick<Bank, "config">): WarningTerms {
  if (config.warnings !== undefined) return config.warnings;
  throw new Refusal("not_found", "this bank asks for no warnings", {
    hint: "it would have to state them under warnings in coordinator.yaml",
  });
}

/**
 * Keeps a report. What is known already is left out; nothing new leaves no entry.
 * @returns how many were new.
 * @throws Refusal not_found, roster_mismatch, signature_invalid, note_malformed, digest_mismatch, manifest_changed,
 *   message_malformed, rate_limited
 */
export async function takeReport(
  bank: Bank,
  enterprise: string,
  { note, report: bytes }: { readonly note: string; readonly report: Uint8Array },
): Promise<number> {
  const asked = terms(bank);
  bank.warningReports.take(enterprise, "reports of warnings");
  const member = (await currentRoster(bank))?.roster.byId.get(enterprise);
  if (member === undefined)
    throw new Refusal("roster_mismatch", `${enterprise} is not in the current roster`);
  const signed = openStatement(note, parseVerifierKey(member.verifierKey));
  if (signed.enterprise !== enterprise || signed.consortium !== bank.config.consortium)
    throw new Refusal("signature_invalid", "the report is another enterprise's");
  if (signed.terms !== termsDigest(asked))
    throw new Refusal("manifest_changed", "the report is made under other terms", {
      hint: "the node asks for the terms again by itself",
    });
  if (digestOf(bytes) !== signed.report)
    throw new Refusal("digest_mismatch", "the report is not the one that was signed");
  const { warnings } = parseReport(bytes);
  for (const warning of warnings) checkWarning(warning, asked, bank.clock.now());

  return bank.database.transaction(async (sql) => {
    await lockCases(sql);
    const fresh: CoarseWarning[] = [];
    for (const warning of warnings) {
      const { type, severity, from, place = "" } = warning;
      const added = await sql`
        INSERT INTO warning (enterprise, type, severity, period_from, place, received_at)
        VALUES (${enterprise}, ${type}, ${severity}, ${from}, ${place}, ${new Date(bank.clock.now())})
        ON CONFLICT DO NOTHING`;
      if (added.count > 0) fresh.push(warning);
    }
    for (const from of new Set(warnings.map((one) => one.from))) {
      const [held] = await sql`
        SELECT count(*)::int AS count FROM warning WHERE enterprise = ${enterprise} AND period_from = ${from}`;
      if (Number(held!.count) > mostOfPeriod)
        throw new Refusal("rate_limited", `more than ${mostOfPeriod} different warnings of ${from}`);
    }
    if (fresh.length === 0) return 0;
    const entry = await bank.privacyLog.append(sql, [
      {
        type: "warning.raised",
        enterprise,
        warnings: fresh.length,
        terms: signed.terms,
        report: signed.report,
        statement: note,
      },
    ]);
    const severity = severities.findLast((one) => fresh.some((warning) => warning.severity === one))!;
    await raiseCase(bank, sql, { enterprise }, { entry, cause: { cause: "warning", severity } });
    return fresh.length;
  });
}

/** @throws Refusal message_malformed */
function checkWarning({ severity, from, place }: CoarseWarning, asked: WarningTerms, now: number): void {
  const refuse = (why: string): never => {
    throw new Refusal("message_malformed", `a warning of ${from}: ${why}`);
  };
  const begins = Date.parse(from);
  if (periodOf(begins, asked.period) !== from) refuse(`a ${asked.period} does not begin then`);
  if (begins > now + clockMillis) refuse("it is to come");
  if (begins < now - oldestMillis) refuse("it is too long past");
  if (severities.indexOf(severity) < severities.indexOf(asked.leastSeverity))
    refuse(`${severity} is less grave than was asked for`);
  if (place !== undefined && !asked.places) refuse("places were not asked for");
}

/** @returns the latest first. @param since - first day, ISO. */
export async function toldWarnings(
  { database: { sql } }: Pick<Bank, "database">,
  {
    enterprise,
    since,
    limit,
  }: { enterprise?: string | undefined; since?: string | undefined; limit: number },
): Promise<ToldWarning[]> {
  const rows = await sql`
    SELECT enterprise, type, severity, period_from, place, received_at FROM warning
    WHERE enterprise = coalesce(${enterprise ?? null}::text, enterprise)
      AND period_from >= coalesce(${since ?? null}::text, period_from)
    ORDER BY period_from DESC, received_at DESC, enterprise, type, place LIMIT ${limit}`;
  return rows.map((row) => ({
    enterprise: row.enterprise as string,
    type: row.type as CoarseWarning["type"],
    severity: row.severity as CoarseWarning["severity"],
    from: row.period_from as string,
    ...(row.place === "" ? {} : { place: row.place as string }),
    received: +(row.received_at as Date),
  }));
}

/** Removes what is kept no longer. @returns how many */
export async function pruneWarnings({ clock, config, database }: Bank): Promise<number> {
  // Whoever asks for none any more keeps none.
  const keepMillis = (config.warnings?.keepDays ?? 0) * 86_400_000;
  return database.transaction(async (sql) => {
    const gone = await sql`DELETE FROM warning WHERE received_at < ${new Date(clock.now() - keepMillis)}`;
    return gone.count;
  });
}
