/** Steps taken from the median of groups: fewer than half of them decide nothing. */
import test from "ava";
import fc from "fast-check";
import { exactAuc } from "../../bench/credit/split.ts";
import { canonicalJson } from "../../core/canonical.ts";
import { seededRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Json } from "../../models/algorithm.ts";
import { drawGroups, poisonersWithstood } from "../../models/groups.ts";
import { type PlainOptions, partyName, runPlain } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
import { concatRows } from "../../models/rows.ts";
import type { StudyManifest } from "../../models/study.ts";
import {
  manifestFaults,
  parseStudyState,
  type StudyState,
  studyCohort,
  studyEvents,
  studyLayout,
  studySteps,
} from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { studyOf, tableOf } from "../support/rows.ts";

const rows = 600;
const tableFor = (seed: string): Table => {
  const random = seededRandom(seed);
  const draw = () => Array.from({ length: rows }, () => 2 * uniform(random) - 1);
  const [x, y] = [draw(), draw()];
  const bad = x.map((own, row) => Number(1 / (1 + Math.exp(-3 * own - 2 * y[row]!)) > uniform(random)));
  return tableOf({ x, y }, bad);
};
const parties = 15;
const tables = Array.from({ length: parties }, (_, party) => tableFor(`groups ${party}`));
const dealt = (members: number, count: number): string[][] =>
  Array.from({ length: count }, (_, g) =>
    Array.from({ length: members }, (_, i) => i)
      .filter((i) => i % count === g)
      .map(partyName),
  );

const learners: Readonly<Record<string, readonly ({ name: string } & Record<string, Json>)[]>> = {
  additive: [{ name: "range" }, { name: "bins", cells: 64 }, { name: "additive", maxSteps: 3 }],
  boosting: [
    { name: "range" },
    { name: "bins", cells: 64 },
    { name: "boosting", trees: 3, rounds: 3, depth: 2 },
  ],
  neural: [
    { name: "range" },
    { name: "summary" },
    { name: "standardize" },
    { name: "neural", rounds: 6, localEpochs: 2 },
  ],
};
const features = ["x", "y"].map((name) => ({ name, kind: "numeric" as const }));
const study = (name: string, groups?: string[][]): StudyManifest => ({
  ...studyOf(features, learners[name]!, rows),
  ...(groups === undefined ? {} : { groups }),
});

/** As far off as an entry may be, but for how many rows there are. */
const spoil =
  (of: StudyManifest, name: string, who: readonly number[]): NonNullable<PlainOptions["onContribution"]> =>
  (party, values, state) => {
    if (state.algorithm !== name || !who.includes(party)) return values;
    const bounds = studyLayout(of, state).blocks.flatMap(({ name: block, length, bound }) =>
      Array.from({ length }, () => (block === "rows" ? 0 : bound)),
    );
    return values.map((x, i) => (bounds[i] === 0 ? x : -Math.sign(x) * bounds[i]!));
  };

for (const name of Object.keys(learners)) {
  test(`${name}: groups that are alike come to what one sum of everybody does`, async (t) => {
    const alike = Array.from({ length: 9 }, () => tables[0]!);
    const options = { randomOf: () => seededRandom("the same") };
    const { results, rounds } = await runPlain(study(name, dealt(9, 3)), alike, options);
    const whole = await runPlain(study(name), alike, options);
    t.is(canonicalJson(results[name]), canonicalJson(whole.results[name]));
    const before = learners[name]!.length - 1 - Number(name === "neural");
    t.is(rounds - before, 3 * (whole.rounds - before));
  });

  test(`${name}: two spoiled groups of five move the model next to nothing, three take it over`, async (t) => {
    const manifest = study(name, dealt(parties, 5));
    const everybody = concatRows(tables);
    const aucWith = async (who: readonly number[], of = manifest): Promise<number> => {
      const options = { onContribution: spoil(of, name, who) };
      const { results } = await runPlain(of, tables, options);
      const model = modelsOf({ algorithms: of.algorithms, results }).get(name)!;
      return exactAuc(model.score(everybody), everybody.label);
    };
    const clean = await aucWith([]);
    t.true(Math.abs(clean - (await aucWith([], study(name)))) < 0.01);
    t.true(clean - (await aucWith([0, 1])) < 0.01);
    t.true(clean - (await aucWith([0, 1, 2]).catch(() => 0)) > 0.1);
    t.true(clean - (await aucWith([0, 1], study(name)).catch(() => 0)) > 0.1, "without groups");
  });
}

test("a study that deals its members to groups states its sums, and costs each unit those of its own group", (t) => {
  const grouped = study("additive", dealt(parties, 5));
  t.is(studySteps(study("additive")), 1 + 1 + 3);
  t.is(studySteps(grouped), 1 + 1 + 5 * 3);
  t.deepEqual(studyEvents(grouped), studyEvents(study("additive")));
  t.is(poisonersWithstood(grouped.groups!), 2);
});

test("the next sum is of one group, and of all where the algorithm takes one of everybody", async (t) => {
  const groups = dealt(9, 3);
  const seen: (readonly string[] | undefined)[] = [];
  const states: StudyState[] = [];
  const manifest = study("additive", groups);
  await runPlain(manifest, tables.slice(0, 9), {
    onRound(state) {
      seen.push(studyCohort(manifest, state));
      states.push(state);
    },
  });
  t.deepEqual(seen.slice(0, 6), [groups.flat(), groups.flat(), ...groups, groups[0]!]);
  for (const state of states) t.deepEqual(parseStudyState(manifest, structuredClone(state)), state);
  const [, , , waiting] = states;
  const [sum] = waiting!.groupSums!;
  for (const groupSums of [[], [sum, sum, sum], [{ ...sum!, values: [1] }], [{ ...sum!, parties: 0 }]]) {
    const error = t.throws(() => parseStudyState(manifest, { ...waiting!, groupSums }), {
      instanceOf: Refusal,
    });
    t.is(error?.reason, "state_invalid");
  }
  t.throws(() => parseStudyState(study("additive"), waiting!), { instanceOf: Refusal });
});

test("members are drawn into even groups, an organisation's enterprises into the same", (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 6, max: 40 }), fc.integer({ min: 3, max: 8 }), (organisations, count) => {
      const members = Array.from({ length: organisations + 3 }, (_, i) => ({
        id: partyName(i),
        organisation: `o${i % organisations}`,
      }));
      const draw = () => drawGroups(members, count, seededRandom(`${organisations}`));
      if (organisations < 2 * count) {
        t.throws(draw, { instanceOf: Refusal });
        return;
      }
      const groups = draw();
      t.deepEqual(groups.flat().sort(), members.map(({ id }) => id).sort());
      const organisationOf = new Map(members.map(({ id, organisation }) => [id, organisation]));
      const dealtTo = groups.map((group) => new Set(group.map((id) => organisationOf.get(id))));
      const sizes = dealtTo.map(({ size }) => size);
      t.true(Math.max(...sizes) - Math.min(...sizes) <= 1);
      t.is(
        sizes.reduce((sum, size) => sum + size, 0),
        organisations,
      );
    }),
  );
});

test("groups with a member twice, or fewer members than a sum takes, are refused", (t) => {
  const faultsOf = (groups: string[][]) =>
    manifestFaults(study("additive", groups)).map(({ message }) => message);
  t.deepEqual(faultsOf(dealt(9, 3)), []);
  t.regex(
    faultsOf([
      ["a", "b", "c"],
      ["d", "e", "f"],
      ["g", "h", "a"],
    ])[0]!,
    /a is in them twice/,
  );
  t.regex(
    faultsOf([
      ["a", "b", "c"],
      ["d", "e", "f"],
      ["g", "h"],
    ])[0]!,
    /minCohort is 3/,
  );
});
