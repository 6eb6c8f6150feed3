/** Where a champion decides for a purpose, the gate is on, unless the manifest says that it is not. */
import test from "ava";
import type { Bank } from "../../../coordinator/bank.ts";
import { gatedByDefault } from "../../../coordinator/studies/gate.ts";
import { Refusal } from "../../../core/reasons.ts";
import { runPooled } from "../../../models/plain.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { checkAlgorithms } from "../../../models/study-loop.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";

const learning = [
  { name: "range" },
  { name: "summary" },
  { name: "standardize" },
  { name: "logistic", as: "odds" },
  { name: "evaluate" },
];
const before: StudyManifest = { ...studyOf(borrowerFeatures, learning), holdout: { fraction: 0.3 } };
const published = runPooled({ ...before, algorithms: learning.slice(0, -1) }, [borrowers()]).then(
  ({ results }) => results,
);

/** A bank's tables as far as they are read: decisions about models, and the models. */
async function bankWith(
  standing: string | undefined,
  algorithms: StudyManifest["algorithms"] = learning,
): Promise<Pick<Bank, "database">> {
  const document = JSON.stringify({ algorithms, results: await published });
  const decided = {
    model: "m",
    result: "odds",
    standing,
    reason: "",
    decided_by: "li",
    decided_at: new Date(0),
  };
  const sql = async (parts: TemplateStringsArray) => {
    if (parts[0]!.includes("SELECT document")) return [{ document }];
    return standing === undefined ? [] : [{ ...decided, manifest: JSON.stringify(before) }];
  };
  return { database: { sql } } as unknown as Pick<Bank, "database">;
}

test("a study that learns a model is held against its purpose's champion", async (t) => {
  const bank = await bankWith("champion");
  const { manifest, note } = await gatedByDefault(bank, { ...before, name: "next" });
  t.deepEqual(manifest, {
    ...before,
    name: "next",
    gate: {
      model: "odds",
      champion: { algorithm: "logistic", result: (await published).odds },
      within: 0.005,
    },
  });
  t.notThrows(() => checkAlgorithms(manifest));
  t.regex(note!, /odds against the champion odds/);
});

test("what the manifest says of its gate stands, without one as well", async (t) => {
  const bank = await bankWith("champion");
  const own = {
    model: "odds",
    champion: { algorithm: "logistic", result: (await published).odds },
    within: 0.01,
  };
  for (const gate of ["none", own] as const) {
    const manifest = { ...before, gate };
    t.deepEqual(await gatedByDefault(bank, manifest), { manifest });
    t.notThrows(() => checkAlgorithms(manifest));
  }
});

test("no gate where nobody decides for the purpose, nothing is learned, or the champion reads other columns", async (t) => {
  const bank = await bankWith("champion");
  const same = async (of: Pick<Bank, "database">, manifest: StudyManifest) =>
    t.deepEqual(await gatedByDefault(of, manifest), { manifest });
  await same(await bankWith(undefined), before);
  await same(await bankWith("challenger"), before);
  await same(bank, { ...before, purpose: "pricing" });
  await same(bank, { ...before, algorithms: [{ name: "range" }] });
  const fewer = { ...before, features: before.features.slice(1) };
  const levels = {
    ...before,
    features: before.features.map((one) =>
      one.kind === "categorical" ? { ...one, levels: [...one.levels, "another"] } : one,
    ),
  };
  for (const manifest of [fewer, levels]) {
    const { manifest: given, note } = await gatedByDefault(bank, manifest);
    t.deepEqual(given, manifest);
    t.regex(note!, /^gate: none/);
  }
  const through = await bankWith("champion", [{ name: "transform", columns: {} }, ...learning]);
  t.is((await gatedByDefault(through, before)).manifest.gate, undefined);
});

test("a study that leaves no room for a gate is refused, and told how to be without", async (t) => {
  const bank = await bankWith("champion");
  const unheld = { ...before, holdout: { fraction: 0 } };
  const last = { ...before, algorithms: learning.slice(0, -1) };
  for (const manifest of [unheld, last]) {
    const error = await t.throwsAsync(gatedByDefault(bank, manifest), { instanceOf: Refusal });
    t.is(error?.reason, "parameters_invalid");
    t.regex(error!.hint, /gate: none/);
  }
});
