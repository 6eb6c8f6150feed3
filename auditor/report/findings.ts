/** What an auditor should look at: worked out from the account, never from anybody's assurance. */
import { shortDigest } from "../../core/ids.ts";
import type { Check } from "../../privacy/log/verify.ts";
import { type Account, day, type Study } from "./account.ts";
import { checkInChinese } from "./checks-zh.ts";
import { Entries } from "./entries.ts";
import type { LedgerAccount } from "./ledger.ts";

/**
 * `violation`: something that must hold does not. `attention`: nothing is broken, and somebody should say why it is
 * so. `note`: worth knowing.
 */
export type Weight = "violation" | "attention" | "note";

export interface Finding {
  readonly weight: Weight;
  readonly text: string;
  /** The same in Chinese. */
  readonly zh: string;
  readonly entries: Entries;
}

/** Shares and times beyond which something is told; none of them decides whether the log verifies. */
export const thresholds = {
  /** Attempts that came to no sum, of those opened. */
  endedShare: 0.1,
  /** Rows that desensitization left out. */
  suppressionRate: 0.05,
  /** Before the end of the period, or after it: a consent that ends then is named. */
  consentDays: 30,
} as const;

/** Operators after which nothing of a single value is left. */
const endsAtHome: ReadonlySet<string> = new Set(["drop", "aggregate-only"]);

const dayMillis = 86_400_000;

/** @returns the findings, gravest first. */
export function findingsOf(
  account: Account,
  checks: readonly Check[],
  ledgers: readonly LedgerAccount[],
): Finding[] {
  const found = [
    ...failedChecks("the log", "日志", checks),
    ...ledgers.flatMap(({ enterprise, checks }) =>
      failedChecks(`the ledger of ${enterprise}`, `${enterprise} 的账本`, checks),
    ),
    ...[...account.studies.values()].flatMap((study) => ofStudy(account, study)),
    ...ofAttempts(account),
    ...ofChanges(account),
    ...ofMembers(account, ledgers),
    ...ledgers.flatMap(ofLedger),
  ];
  const order: readonly Weight[] = ["violation", "attention", "note"];
  return order.flatMap((weight) => found.filter((finding) => finding.weight === weight));
}

const failedChecks = (of: string, ofZh: string, checks: readonly Check[]): Finding[] =>
  checks
    .filter(({ ok }) => !ok)
    .map(({ check, detail, entry }) => ({
      weight: "violation",
      text: `${of} fails the check “${check}”${detail && `: ${detail}`}`,
      zh: `${ofZh}未通过检查“${checkInChinese(check)}”${detail && `：${detail}`}`,
      entries: entry === undefined ? new Entries() : Entries.of(entry),
    }));

function ofStudy({ period }: Account, study: Study): Finding[] {
  const { terms, released, releases, models } = study;
  const name = `study ${terms.name}`;
  const nameZh = `研究 ${terms.name}：`;
  const found: Finding[] = [];
  if (released.length > 0 && terms.unprotected.includes("noise"))
    found.push({
      weight: "attention",
      text: `${name}: its sums carry no noise, so no ε bounds what they say of one record`,
      zh: `${nameZh}其求和未加噪声，没有 ε 能约束其对单条记录透露的信息`,
      entries: study.proposed,
    });
  const atMinimum = released.filter(({ survivors }) => survivors.length === terms.minCohort).length;
  if (atMinimum > 0)
    found.push({
      weight: "note",
      text: `${name}: ${atMinimum} of ${released.length} sums are of no more than the least number of enterprises, ${terms.minCohort}`,
      zh: `${nameZh}${released.length} 个求和中有 ${atMinimum} 个只达到最少企业数 ${terms.minCohort}`,
      entries: releases,
    });
  for (const model of models)
    if (model.evaluations.length === 0)
      found.push({
        weight: "attention",
        text: `${name}: model ${shortDigest(model.model)} was published and never evaluated under the sealed sum`,
        zh: `${nameZh}模型 ${shortDigest(model.model)} 已发布，但从未在密封求和下评估`,
        entries: model.entries,
      });
  for (const consent of study.consents) {
    const days = (consent.expires - period.until) / dayMillis;
    if (consent.withdrawn === undefined && Math.abs(days) <= thresholds.consentDays)
      found.push({
        weight: "note",
        text: `${name}: the consent of ${consent.enterprise} ${days < 0 ? "ended" : "ends"} on ${day(consent.expires)}`,
        zh: `${nameZh}${consent.enterprise} 的同意${days < 0 ? "已" : "将"}于 ${day(consent.expires)} 到期`,
        entries: consent.entries,
      });
  }
  return found;
}

function ofAttempts({ ended, studies, complaints }: Account): Finding[] {
  const found: Finding[] = [];
  const opened = [...studies.values()].reduce((sum, study) => sum + study.opened, 0);
  if (ended.length > thresholds.endedShare * opened)
    found.push({
      weight: "attention",
      text: `${ended.length} of ${opened} attempts came to no sum`,
      zh: `${opened} 次尝试中有 ${ended.length} 次没有得出求和`,
      entries: Entries.of(...ended.map(({ entries }) => entries.toJSON()[0]!)),
    });
  const named = Map.groupBy(
    ended.filter(({ enterprise }) => enterprise !== undefined && enterprise !== ""),
    ({ enterprise, reason, kind }) => `${enterprise}: ${reason || kind}`,
  );
  for (const [what, events] of named)
    found.push({
      weight: "attention",
      text: `${events.length} ${events.length === 1 ? "attempt" : "attempts"} ended, and the log names ${what}`,
      zh: `${events.length} 次尝试终止，日志指明 ${what}`,
      entries: Entries.of(...events.map(({ entries }) => entries.toJSON()[0]!)),
    });
  for (const { kind, entries } of ended)
    if (kind === "split")
      found.push({
        weight: "attention",
        text: "a cohort was split: its sum was no sum of valid vectors",
        zh: "参与方被拆分：其总和不是有效向量之和",
        entries,
      });
  for (const { text, entries } of complaints)
    found.push({
      weight: "attention",
      text: `at a key epoch ${text}`,
      zh: `在一个密钥周期：${text}`,
      entries,
    });
  return found;
}

/** Bank and auditor have signed it, and whoever reads the report may not know. */
const ofChanges = ({ changes }: Account): Finding[] =>
  changes.map(({ text, entries }) => ({ weight: "attention", text, zh: text, entries }));

function ofMembers(account: Account, ledgers: readonly LedgerAccount[]): Finding[] {
  const found: Finding[] = [];
  const given = new Set(ledgers.map(({ enterprise }) => enterprise));
  for (const { enterprise, entries, reports, left, expelled } of account.members.values()) {
    if (expelled !== undefined)
      found.push({
        weight: "attention",
        text: `${enterprise} was expelled: ${expelled}`,
        zh: `${enterprise} 已被除名：${expelled}`,
        entries,
      });
    const took = [...account.studies.values()].some(({ sumsOf }) => sumsOf.has(enterprise));
    if (took && reports.count === 0)
      found.push({
        weight: "attention",
        text: `${enterprise} took part and reported no checkpoint of its egress ledger`,
        zh: `${enterprise} 参与了求和，但没有报告其外发账本的检查点`,
        entries,
      });
    if (took && !given.has(enterprise) && left === undefined)
      found.push({
        weight: "note",
        text: `what left ${enterprise} was not compared with the bank's log: its ledger was not given (--ledger)`,
        zh: `${enterprise} 的外发内容未与银行日志对照：没有给出其账本（--ledger）`,
        entries: new Entries(),
      });
  }
  return found;
}

function ofLedger({ enterprise, desensitized }: LedgerAccount): Finding[] {
  const found: Finding[] = [];
  for (const { entry, entries } of desensitized) {
    for (const { field, level, operator } of entry.fields)
      if (level === "C3" && !endsAtHome.has(operator))
        found.push({
          weight: "violation",
          text: `${enterprise}: the field ${field} is of level C3 and went through “${operator}”; such a field never leaves`,
          zh: `${enterprise}：字段 ${field} 为 C3 级，却经过了“${operator}”；此类字段不得外发`,
          entries,
        });
    if (entry.suppressionRate > thresholds.suppressionRate)
      found.push({
        weight: "note",
        text: `${enterprise}: desensitization left out ${(100 * entry.suppressionRate).toFixed(1)} % of ${entry.rowsIn} rows`,
        zh: `${enterprise}：脱敏从 ${entry.rowsIn} 行中舍去了 ${(100 * entry.suppressionRate).toFixed(1)}%`,
        entries,
      });
  }
  return found;
}
