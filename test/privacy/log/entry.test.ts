import { readFileSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import { utf8 } from "../../../core/bytes.ts";
import { Refusal } from "../../../core/reasons.ts";
import {
  checkEntry,
  type Entry,
  type EntryType,
  entryBytes,
  parseEntry,
  submissionsDigest,
} from "../../../privacy/log/entry.ts";
import { sampleLedger, sampleLog } from "../../support/log.ts";

const digest = "ab".repeat(32);
const common = { time: 1_790_000_000_000 };
const others: Entry[] = [
  { ...common, type: "policy.changed", enterprise: "mill", policy: digest, version: 1 },
  { ...common, type: "policy.changed", enterprise: "mill", policy: digest, version: 2, by: ["anna", "bo"] },
  {
    ...common,
    type: "desensitization.ran",
    enterprise: "mill",
    policy: digest,
    version: 1,
    rowsIn: 10,
    rowsOut: 9,
    k: 5,
    l: 2,
    t: 0.2,
    fields: [{ field: "customer_id", class: "direct", level: "C2", operator: "drop" }],
    suppressionRate: 0.1,
  },
  { ...common, type: "member.expelled", enterprise: "mill", reason: "left the trade", roster: 2 },
  {
    ...common,
    type: "certificate.issued",
    role: "enterprise",
    holder: "mill",
    serial: "0a1c",
    expires: 1,
    replaces: "0a1b",
  },
  { ...common, type: "operator.removed", operator: "maria", serials: ["0a1d"] },
  { ...common, type: "certificate.revoked", enterprise: "mill", serial: "0a1b" },
  { ...common, type: "certificate.revoked", operator: "maria", serial: "0a1e" },
  { ...common, type: "key.rotated", holder: "bank", from: "old", to: "new", roster: digest },
  {
    ...common,
    type: "epoch.complaint",
    opening: digest,
    accuser: "mill",
    accused: "shop",
    kind: "share",
    guilty: "shop",
    evidence: digest,
  },
  { ...common, type: "round.rerun", roundId: digest, without: ["mill"], evidence: digest },
  {
    ...common,
    type: "round.split",
    roundId: digest,
    halves: [["mill"], ["shop"]],
    evidence: digest,
    invalid: [{ enterprise: "mill", signature: "A".repeat(86).concat("==") }],
  },
  {
    ...common,
    type: "data.committed",
    enterprise: "mill",
    day: "2026-03-02",
    root: digest,
    segments: 2,
    readings: 10,
    delivered: 0.65,
    completed: 0.92,
  },
  {
    ...common,
    type: "model.standing",
    model: digest,
    result: "logistic",
    standing: "champion",
    reason: "beats the one before",
    by: "maria",
  },
  { ...common, type: "models.ruled", approvals: 2 },
  {
    ...common,
    type: "model.approved",
    model: digest,
    result: "logistic",
    reason: "read its card",
    by: "li",
  },
  { ...common, type: "score.withdrawn", study: digest, enterprise: "mill" },
  { ...common, type: "study.ordered", study: digest, order: "paused" },
  {
    ...common,
    type: "warning.raised",
    enterprise: "cold-chain",
    warnings: 2,
    terms: digest,
    report: digest,
    statement: "signed",
  },
  { ...common, type: "study.pruned", study: digest, sums: 3, model: digest },
  { ...common, type: "round.lost", roundId: digest, reason: "round_lost" },
  {
    ...common,
    type: "log.recovered",
    roster: digest,
    kept: { size: 3, root: digest },
    lost: { size: 5, root: digest },
  },
];
const samples = [
  ...[...sampleLog().leaves, ...sampleLedger("cold-chain", [digest]).leaves].map(parseEntry),
  ...others,
];

const entryTypes: Readonly<Record<EntryType, true>> = {
  "log.recovered": true,
  "consortium.created": true,
  "roster.changed": true,
  "member.expelled": true,
  "certificate.issued": true,
  "certificate.revoked": true,
  "operator.removed": true,
  "key.rotated": true,
  "epoch.complaint": true,
  "key.epoch": true,
  "study.proposed": true,
  "study.consented": true,
  "study.withdrawn": true,
  "study.ordered": true,
  "study.pruned": true,
  "policy.changed": true,
  "desensitization.ran": true,
  "data.committed": true,
  "round.opened": true,
  "round.submitted": true,
  "round.survivors": true,
  "round.unmasked": true,
  "round.rerun": true,
  "round.split": true,
  "round.lost": true,
  "round.released": true,
  "round.aborted": true,
  "privacy.spent": true,
  "model.published": true,
  "model.evaluated": true,
  "models.ruled": true,
  "model.approved": true,
  "model.standing": true,
  "score.consented": true,
  "score.withdrawn": true,
  "score.issued": true,
  "case.raised": true,
  "case.assigned": true,
  "case.commented": true,
  "case.decided": true,
  "ledger.reported": true,
  "egress.sent": true,
  "warning.raised": true,
};

test("every entry type has a sample, and each sample survives its bytes", (t) => {
  t.deepEqual([...new Set(samples.map(({ type }) => type))].sort(), Object.keys(entryTypes).sort());
  for (const entry of samples) t.deepEqual(parseEntry(entryBytes(entry)), entry);
});

test("a field too many, too few or of another type is refused in every entry", (t) => {
  for (const entry of samples) {
    t.throws(() => checkEntry({ ...entry, raw: 1 }), { instanceOf: Refusal }, entry.type);
    for (const field of Object.keys(entry)) {
      const { [field]: _, ...rest } = entry as unknown as Record<string, unknown>;
      t.throws(
        () => checkEntry({ ...entry, [field]: { raw: "1" } }),
        { instanceOf: Refusal },
        `${entry.type}.${field}`,
      );
      const optional = ["roundId", "submission", "enterprise", "renounced"];
      if (entry.type === "member.expelled" || entry.type === "case.decided") optional.push("reason");
      if (entry.type === "study.pruned") optional.push("model");
      if (entry.type === "policy.changed") optional.push("by");
      if (entry.type === "certificate.issued") optional.push("replaces");
      if (entry.type === "certificate.revoked") optional.push("operator");
      if (entry.type === "data.committed") optional.push("delivered", "completed");
      if (optional.includes(field)) continue;
      t.throws(() => checkEntry(rest), { instanceOf: Refusal }, `${entry.type} without ${field}`);
    }
  }
});

test("bytes that are not the canonical form of an entry are refused", (t) => {
  const good = Buffer.from(entryBytes(samples[0]!)).toString();
  for (const bad of [
    "",
    "{}",
    "null",
    "[]",
    `${good} `,
    good.replace(":", ": "),
    `{"a":1,${good.slice(1)}`,
    `\ufeff${good}`,
  ])
    t.is(t.throws(() => parseEntry(utf8(bad)), { instanceOf: Refusal })?.reason, "entry_invalid", bad);
  t.is(
    t.throws(() => parseEntry(Uint8Array.of(0xff, 0xfe)), { instanceOf: Refusal })?.reason,
    "entry_invalid",
  );
});

test("an entry longer than a bundle can hold is refused", (t) => {
  const survivors = Array.from({ length: 4096 }, (_, i) => `enterprise-${String(i).padStart(6, "0")}`);
  const entry: Entry = {
    ...common,
    type: "round.survivors",
    roundId: digest,
    survivors,
    submissions: digest,
  };
  t.is(t.throws(() => entryBytes(entry), { instanceOf: Refusal })?.reason, "entry_invalid");
  t.notThrows(() => entryBytes({ ...entry, survivors: survivors.slice(0, 3000) }));
});

test("a list of enterprises is sorted and names none twice", (t) => {
  const survivors = (...ids: string[]) => ({
    ...common,
    type: "round.survivors",
    roundId: digest,
    survivors: ids,
    submissions: digest,
  });
  t.notThrows(() => checkEntry(survivors("a", "b")));
  t.throws(() => checkEntry(survivors("b", "a")), { instanceOf: Refusal });
  t.throws(() => checkEntry(survivors("a", "a")), { instanceOf: Refusal });
});

test("the submissions' digest depends on every submission, not on their order", (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000), { minLength: 2, maxLength: 9 }), (ids) => {
        const list = ids.map((id) => ({
          enterprise: `e-${id}`,
          digest: String(id).padStart(64, "0"),
          commitment: String(id).padStart(64, "1"),
        }));
        const whole = submissionsDigest(list);
        const changed = list.with(0, { ...list[0]!, digest });
        return (
          submissionsDigest(list.toReversed()) === whole &&
          submissionsDigest(list.slice(1)) !== whole &&
          submissionsDigest(changed) !== whole &&
          submissionsDigest(list.with(0, { ...list[0]!, commitment: digest })) !== whole
        );
      }),
    ),
  );
});

test("verifying a receipt reaches for Node in three files only, whose part of Node a browser replaces", (t) => {
  const seen = new Set<string>();
  const usesNode = new Set<string>();
  const visit = (url: URL): void => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const source = readFileSync(url, "utf8");
    for (const [, types, from = ""] of source.matchAll(
      /^(?:import|export) (type )?[^;]*?from "([^"]+)";$/gm,
    )) {
      if (types !== undefined) continue;
      if (from.startsWith("node:")) usesNode.add(url.pathname.split("/").slice(-2).join("/"));
      if (from.startsWith(".")) visit(new URL(from, url));
    }
  };
  visit(new URL("../../../privacy/log/proof.ts", import.meta.url));
  t.deepEqual([...usesNode].sort(), ["core/canonical.ts", "log/ed25519.ts", "log/ml-dsa.ts"]);
});
