/** What another policy would do: to the studies that are there, to what is left, and to what is told. */
import type { DatabaseSync } from "node:sqlite";
import { orUndefined } from "../../core/reasons.ts";
import { isEnded } from "../../core/study-phase.ts";
import { tableOf, usualTable } from "../../models/study.ts";
import { epsilonOf } from "../../privacy/noise/accountant.ts";
import { rowTerms } from "../federation/policies-in-force.ts";
import { studyCost } from "../federation/studies.ts";
import { type Forecast, spentEvents } from "../ledger/budget.ts";
import { isAccounted } from "../ledger/recoveries.ts";
import { exactSurvivors } from "../ledger/steps.ts";
import { forbiddenBy, type Policy, policyOf } from "../policy.ts";
import type { Bar } from "./bars.ts";
import type { KnownStudy, StudyKnowledge } from "./studies.ts";

/** What becomes of one study. */
export interface StudyEffect {
  readonly study: KnownStudy;
  readonly becomes: "stops" | "refused" | "stays refused" | "allowed" | "goes on" | "stays allowed";
  /** What the new policy forbids of it. */
  readonly forbidden: readonly Bar[];
  /** What it may still cost; absent where it runs without noise, or nobody can say. */
  readonly cost?: Forecast;
}

/** What is left of a table's budgets. */
export interface TableEffect {
  readonly table: string;
  readonly lifetime: number;
  /** Absent where the policy counts no ε. */
  readonly spent?: number;
  readonly perTable: number;
  readonly exactSums: number;
}

export interface PolicyEffect {
  readonly studies: readonly StudyEffect[];
  readonly tables: readonly TableEffect[];
  /** Tables that the policy says nothing of any more: they take part in nothing. */
  readonly tablesGone: readonly string[];
  /** What becomes of the rows: an attempt under way ends. */
  readonly rowsChange: boolean;
  readonly scores: "begin" | "end" | undefined;
  readonly warnings: "begin" | "end" | undefined;
}

/** @param before - undefined where it cannot be read. @param now - milliseconds since the epoch */
export function policyEffect(
  before: Policy | undefined,
  after: Policy,
  { studies, consents }: StudyKnowledge,
  db: DatabaseSync,
  now: number,
): PolicyEffect {
  const isConsented = (study: KnownStudy): boolean => {
    const consent = consents.get(study.study);
    return consent !== undefined && !consent.withdrawn && consent.expiresMillis > now;
  };
  const costOf = (policy: Policy, { study, manifest }: KnownStudy): Forecast | undefined =>
    orUndefined(() => studyCost({ db, policy: (of) => policyOf(policy, tableOf(of)) }, study, manifest));
  const barsOf = (policy: Policy | undefined, known: KnownStudy): readonly Bar[] => {
    const { manifest } = known;
    const table = tableOf(manifest);
    const own = policy && orUndefined(() => policyOf(policy, table));
    if (own === undefined) return [{ what: "table", name: table }];
    const { lifetime, spent, perTable, exactSums } = leftOf(db, own, table);
    const isExact = manifest.privacy.noise === undefined;
    // Who agreed already goes on, sum by sum, until one does not fit; a consent is refused before.
    const cost = isConsented(known) ? undefined : costOf(own, known);
    return [
      ...forbiddenBy(own, manifest),
      ...(isExact && exactSums >= perTable ? [{ what: "exactSums", perTable } as const] : []),
      ...(!isExact && spent !== undefined && spent >= lifetime
        ? [{ what: "epsilon", lifetime } as const]
        : cost !== undefined && cost.after > cost.lifetime
          ? [{ what: "cost", lifetime } as const]
          : []),
    ];
  };
  const effects = studies
    .filter(({ phase }) => !isEnded(phase))
    .map((study): StudyEffect => {
      const forbidden = barsOf(after, study);
      const was = barsOf(before, study).length === 0;
      const consented = isConsented(study);
      const cost = costOf(after, study);
      const becomes =
        forbidden.length > 0
          ? was
            ? consented
              ? "stops"
              : "refused"
            : "stays refused"
          : was
            ? consented
              ? "goes on"
              : "stays allowed"
            : "allowed";
      return { study, becomes, forbidden, ...(cost !== undefined && { cost }) };
    });
  const tablesOf = (policy: Policy): string[] => [usualTable, ...Object.keys(policy.tables ?? {})];
  const tables = tablesOf(after).map((table) => leftOf(db, policyOf(after, table), table));
  const change = (was: unknown, is: unknown): "begin" | "end" | undefined =>
    was === undefined ? (is === undefined ? undefined : "begin") : is === undefined ? "end" : undefined;
  return {
    studies: effects,
    tables,
    tablesGone: before === undefined ? [] : tablesOf(before).filter((one) => !tablesOf(after).includes(one)),
    rowsChange:
      before !== undefined &&
      tablesOf(after).some((table) => {
        const was = orUndefined(() => policyOf(before, table));
        return was !== undefined && rowTerms(was) !== rowTerms(policyOf(after, table));
      }),
    scores: change(before?.scores, after.scores),
    warnings: change(before?.warnings, after.warnings),
  };
}

/** @param policy - as it is for the table's rows. */
function leftOf(db: DatabaseSync, { exactSums, maxEpsilon }: Policy, table: string): TableEffect {
  const { lifetime, delta } = maxEpsilon;
  // Of what a lost ledger held nothing counts as left.
  const spent = (of: number): number => (isAccounted(db) ? epsilonOf(spentEvents(db, table), of) : lifetime);
  return {
    table,
    lifetime,
    ...(delta === undefined ? {} : { spent: spent(delta) }),
    perTable: exactSums.perTable,
    exactSums: exactSurvivors(db, table).length,
  };
}
