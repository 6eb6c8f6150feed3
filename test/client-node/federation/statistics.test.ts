import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import test from "ava";
import {
  DirectStatistics,
  type Statistics,
  StatisticsThread,
} from "../../../client-node/federation/statistics.ts";
import { canonicalJson, digestOf } from "../../../core/canonical.ts";
import { secureRandom, seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { startStudy } from "../../../models/study-loop.ts";
import type { Column } from "../../../models/table.ts";
import { borrowerFeatures, borrowers, studyOf, tableOf } from "../../support/rows.ts";

/** A network over so many rows that its step takes seconds. */
const features = Array.from({ length: 8 }, (_, i) => ({ name: `x${i}`, kind: "numeric" as const }));
const heavy = studyOf(
  features,
  [{ name: "range" }, { name: "summary" }, { name: "neural", hidden: [64], rounds: 2, localEpochs: 60 }],
  100_000,
);

function heavyTable() {
  const random = seededRandom("statistics");
  const rows = 12_000;
  const bytes = random.bytes(rows * features.length);
  return tableOf(
    Object.fromEntries(
      features.map(({ name }, i) => [
        name,
        Array.from({ length: rows }, (_, row) => bytes[i * rows + row]! / 255 + (row % 2)),
      ]),
    ),
    Array.from({ length: rows }, (_, row) => row % 2),
  );
}

const table = heavyTable();
const study = digestOf(canonicalJson(heavy));

/** @returns the state in which the network's step comes next. */
async function networkState() {
  const direct = new DirectStatistics(secureRandom);
  let state = startStudy(heavy);
  while (state.algorithm !== "neural") {
    const values = await direct.contribute(study, heavy, state, table);
    state = await direct.advance(heavy, state, { values, parties: 1 });
  }
  return state;
}

/** @returns how long the loop was held up at most, milliseconds, and the statistic. */
async function heldUp(statistics: Statistics) {
  const state = await networkState();
  // The first request begins the thread and sends it the rows.
  await statistics.contribute(study, heavy, startStudy(heavy), table);
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  await delay(50);
  const from = performance.now();
  const values = await statistics.contribute(study, heavy, state, table);
  const took = performance.now() - from;
  await delay(50);
  loop.disable();
  return { took, longest: loop.max / 1e6, values };
}

test.serial("a statistic of seconds leaves the node's loop free; computed in it, it does not", async (t) => {
  const thread = new StatisticsThread();
  t.teardown(() => thread.close());
  let apart = await heldUp(thread);
  // The least of a few: what else the machine does is no matter of the thread's.
  for (let i = 0; i < 4 && apart.longest > 50; i++) {
    const again = await heldUp(thread);
    if (again.longest < apart.longest) apart = again;
  }
  const control = await heldUp(new DirectStatistics(secureRandom));
  t.log(`${apart.took.toFixed(0)} ms in the thread, the loop held up ${apart.longest.toFixed(0)} ms`);
  t.log(`${control.took.toFixed(0)} ms directly, the loop held up ${control.longest.toFixed(0)} ms`);
  // Whatever the machine takes for it: all the while.
  t.true(control.longest > 0.8 * control.took, `${control.longest} of ${control.took} ms`);
  t.true(control.longest > 2 * apart.longest, `${control.longest} ms`);
  t.true(apart.longest <= 50, `${apart.longest} ms`);
  t.is(apart.values.length, control.values.length);
});

const manifest = studyOf(borrowerFeatures, [{ name: "range" }]);
const first = startStudy(manifest);

test.serial("the thread computes what the calling thread would", async (t) => {
  const thread = new StatisticsThread();
  t.teardown(() => thread.close());
  const rows = borrowers();
  const direct = new DirectStatistics(secureRandom);
  const values = await direct.contribute(study, manifest, first, rows);
  t.deepEqual(await thread.contribute(study, manifest, first, rows), values);
  const sum = { values, parties: 1 };
  t.deepEqual(await thread.advance(manifest, first, sum), await direct.advance(manifest, first, sum));
});

test.serial("a refusal keeps its reason, its words and its hint; a defect is none", async (t) => {
  const thread = new StatisticsThread();
  t.teardown(() => thread.close());
  const rows = borrowers();
  const huge = { kind: "numeric" as const, values: new Float64Array(rows.rows).fill(1e300) };
  const beyond = { ...rows, columns: new Map<string, Column>([...rows.columns, ["income", huge]]) };
  const direct = new DirectStatistics(secureRandom);
  const refusalBy = (of: Statistics) =>
    t.throwsAsync(of.contribute(study, manifest, first, beyond), { instanceOf: Refusal });
  const [there, here] = [await refusalBy(thread), await refusalBy(direct)];
  t.is(there!.reason, "value_out_of_bounds");
  t.like(there, { reason: here!.reason, message: here!.message, hint: here!.hint });
  const values = await thread.contribute(study, manifest, first, rows);
  const nothing = { values: values.fill(Number.NaN), parties: 1 };
  const defect = await t.throwsAsync(thread.advance(manifest, first, nothing));
  t.false(defect instanceof Refusal);
  t.regex(defect!.message, /holds NaN/);
});

test.serial("a thread that crashes fails what it was asked, and the next request is answered", async (t) => {
  const thread = new StatisticsThread(new URL("../../support/crashing-statistics.ts", import.meta.url));
  t.teardown(() => thread.close());
  const rows = borrowers();
  const crash = { ...manifest, purpose: "crash" };
  const [one, two] = await Promise.allSettled([
    thread.contribute(study, crash, first, rows),
    thread.contribute(study, manifest, first, rows),
  ]);
  t.is(one.status === "rejected" && (one.reason as Refusal).reason, "internal");
  t.is(two.status, one.status, "what it was asked meanwhile fails with it");
  const direct = await new DirectStatistics(secureRandom).contribute(study, manifest, first, rows);
  t.deepEqual(await thread.contribute(study, manifest, first, rows), direct);
});
