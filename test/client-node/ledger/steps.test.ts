import { join } from "node:path";
import test from "ava";
import { newestRoster, rememberRoster, splitSalt } from "../../../client-node/ledger/chain.ts";
import {
  bindSlot,
  exactSumsOf,
  liftLock,
  lockStep,
  renounceRound,
  type Step,
  spendStep,
  stepHolder,
} from "../../../client-node/ledger/steps.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { seededRandom } from "../../../core/random.ts";
import type { Reason } from "../../../core/reasons.ts";
import { Refusal } from "../../../core/reasons.ts";
import { temporaryDirectory } from "../../../simulate/consortium.ts";

const policy = { perTable: 10, cohortChange: "refuse" } as const;
const id = (name: string): string => Buffer.from(name.padEnd(32, ".")).toString("hex");

const step = (name: string, over: Partial<Step> = {}): Step => ({
  roundId: id(name),
  study: id("study"),
  round: 1,
  state: id("state 1"),
  table: "rows",
  survivors: ["a", "b", "c", "d", "e", "f"],
  organisations: ["a", "b", "c", "d", "e", "f"],
  exact: true,
  follows: undefined,
  among: ["a", "b", "c"],
  threshold: 3,
  ...over,
});

function refused(
  t: { throws: (f: () => void, e: object) => unknown },
  reason: Reason,
  run: () => void,
): void {
  const error = t.throws(run, { instanceOf: Refusal }) as Refusal | undefined;
  if (error?.reason !== reason) throw new Error(`refused with ${error?.reason}, not ${reason}`);
}

test("a step is locked to one round, spent once, and a spent one stays spent", (t) => {
  const db = openStore(":memory:");
  lockStep(db, step("first"), policy);
  lockStep(db, step("first"), policy);
  refused(t, "step_locked", () => lockStep(db, step("second"), policy));
  refused(t, "step_locked", () => spendStep(db, id("second")));
  spendStep(db, id("first"));
  spendStep(db, id("first"));
  refused(t, "step_spent", () => lockStep(db, step("second"), policy));
  refused(t, "step_spent", () => liftLock(db, id("first")));
  refused(t, "step_spent", () => renounceRound(db, id("first")));
  t.deepEqual(stepHolder(db, id("study"), 1), {
    roundId: id("first"),
    phase: "spent",
    among: ["a", "b", "c"],
    threshold: 3,
  });
  lockStep(db, step("next", { round: 2, state: id("state 2") }), policy);
});

test("a lifted lock frees the step, and what was renounced is never unmasked", (t) => {
  const db = openStore(":memory:");
  lockStep(db, step("first"), policy);
  renounceRound(db, id("first"));
  refused(t, "step_locked", () => spendStep(db, id("first")));
  refused(t, "step_locked", () => lockStep(db, step("second"), policy));
  liftLock(db, id("first"));
  lockStep(db, step("second"), policy);
  spendStep(db, id("second"));
  // A promise may come before any lock.
  renounceRound(db, id("unseen"));
  refused(t, "step_locked", () => lockStep(db, step("unseen", { round: 2 }), policy));
});

test("rounds that follow a spent one are let through where nobody is in two of them", (t) => {
  const db = openStore(":memory:");
  const half = (name: string, who: string[], over: Partial<Step> = {}) =>
    step(name, { follows: id("first"), survivors: who, organisations: who, ...over });
  lockStep(db, step("first"), policy);
  refused(t, "step_locked", () => lockStep(db, half("early", ["a", "b"], { follows: id("none") }), policy));
  spendStep(db, id("first"));
  lockStep(db, half("half", ["a", "b", "c"]), policy);
  refused(t, "step_locked", () => lockStep(db, half("other half", ["d", "e", "f"]), policy));
  spendStep(db, id("half"));
  for (const again of [
    ["a", "b", "c"],
    ["c", "d", "e"],
    ["a", "b", "c", "d", "e", "f"],
  ])
    refused(t, "step_spent", () => lockStep(db, half("again", again), policy));
  refused(t, "step_spent", () => lockStep(db, step("anew", { survivors: ["d", "e", "f"] }), policy));
  const of = { follows: id("half") };
  lockStep(db, half("other half", ["d", "e", "f"]), policy);
  spendStep(db, id("other half"));
  refused(t, "step_spent", () => lockStep(db, half("third", ["g"], of), policy));
  const next = { study: id("another study"), organisations: ["a", "b", "c"] };
  refused(t, "cohort_changed", () => lockStep(db, step("next", next), policy));
});

test("survivors that differ by whole groups of the study are none that can be subtracted", (t) => {
  const groups = [
    ["a", "b", "c"],
    ["d", "e", "f"],
    ["g", "h", "i"],
  ];
  const all = groups.flat();
  let round = 0;
  const lock = (db: ReturnType<typeof openStore>, who: readonly string[], given = groups) => {
    round++;
    const names = { survivors: who, organisations: who, groups: { groups: given, minCohort: 3 } };
    lockStep(db, step(`r${round}`, { round, ...names }), { ...policy, perTable: 99 });
    spendStep(db, id(`r${round}`));
  };
  for (const [first, second] of [
    [all, groups[0]!],
    [groups[0]!, all],
    [groups[0]!, groups[0]!],
    [all, all.slice(0, 6)],
  ] as const) {
    const db = openStore(":memory:");
    lock(db, first);
    t.notThrows(() => lock(db, second));
  }
  const refusedAfter: readonly (readonly [readonly string[], readonly string[], string[][]?])[] = [
    // Somebody fell silent: the rest of its group is seen by itself.
    [all, ["a", "b"]],
    [all.slice(0, 8), groups[0]!],
    [[...all, "j"], groups[0]!],
    [groups[0]!, ["a", "b", "c", "d", "e"]],
    // Two that overlap give a third.
    [all.slice(0, 6), ["a", "b", "c", "g", "h", "i"]],
    [
      all,
      groups[0]!,
      [
        ["a", "b", "c", "d"],
        ["e", "f", "g", "h", "i"],
      ],
    ],
  ];
  for (const [first, second, other] of refusedAfter) {
    const db = openStore(":memory:");
    lock(db, first);
    refused(t, "cohort_changed", () => lock(db, second, other));
  }
  const db = openStore(":memory:");
  lockStep(db, step("all", { survivors: all, organisations: all }), policy);
  const apart = step("group", { round: 2, survivors: groups[0]!, organisations: groups[0]! });
  refused(t, "cohort_changed", () => lockStep(db, apart, policy));
});

test("exact sums over a table are counted, whatever their study", (t) => {
  const db = openStore(":memory:");
  for (let round = 1; round <= 3; round++) {
    lockStep(db, step(`r${round}`, { round }), { ...policy, perTable: 3 });
    spendStep(db, id(`r${round}`));
  }
  t.is(exactSumsOf(db, "rows"), 3);
  const more = step("more", { study: id("another study") });
  refused(t, "exact_sums_spent", () => lockStep(db, more, { ...policy, perTable: 3 }));
  lockStep(db, { ...more, exact: false }, { ...policy, perTable: 3 });
  lockStep(db, { ...more, roundId: id("o"), round: 9, table: "others" }, { ...policy, perTable: 3 });
});

test("a survivor list that differs is refused, if the policy says so", (t) => {
  const everyone = ["a", "b", "c", "d", "e", "f"];
  for (const [now, allowed] of [
    [everyone, true],
    [["a", "b", "c", "d", "e"], false],
    [["a", "b", "c", "d", "e", "f", "g", "h"], false],
    [["a", "b", "c", "d", "e", "g"], false],
    [["a", "b", "c"], false],
  ] as const) {
    const db = openStore(":memory:");
    lockStep(db, step("first", { organisations: everyone }), policy);
    spendStep(db, id("first"));
    const second = step("second", { study: id("another study"), organisations: now });
    const run = (): void => lockStep(db, second, policy);
    if (allowed) t.notThrows(run);
    else refused(t, "cohort_changed", run);
    const accepting = openStore(":memory:");
    const accept = { ...policy, cohortChange: "accept" } as const;
    lockStep(accepting, step("first", { organisations: everyone }), accept);
    spendStep(accepting, id("first"));
    t.notThrows(() => lockStep(accepting, second, accept));
  }
});

test("a slot serves the first round it was bound to, and none after a higher one", (t) => {
  const db = openStore(":memory:");
  bindSlot(db, id("epoch"), 3, id("first"));
  bindSlot(db, id("epoch"), 3, id("first"));
  refused(t, "slot_spent", () => bindSlot(db, id("epoch"), 3, id("second")));
  refused(t, "slot_spent", () => bindSlot(db, id("epoch"), 2, id("second")));
  bindSlot(db, id("epoch"), 4, id("second"));
  bindSlot(db, id("another epoch"), 0, id("third"));
});

test("locks, promises, salt and roster version outlive the process", async (t) => {
  const folder = await temporaryDirectory();
  const path = join(folder, "ledger.db");
  const random = seededRandom("salt");
  const first = openStore(path);
  lockStep(first, step("first"), policy);
  const salt = splitSalt(first, "rows", random.bytes(32));
  rememberRoster(first, 7, id("roster"));
  first.close();
  const again = openStore(path);
  refused(t, "step_locked", () => lockStep(again, step("second"), policy));
  t.deepEqual(splitSalt(again, "rows", random.bytes(32)), salt);
  t.notDeepEqual(splitSalt(again, "other rows", random.bytes(32)), salt);
  t.deepEqual(newestRoster(again), { version: 7, digest: id("roster") });
  again.close();
});
