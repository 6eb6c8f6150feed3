import test from "ava";
import { type Target, targets } from "../../bench/fuzz/targets.ts";
import { fuzz } from "../../bench/fuzz.ts";
import { seededRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { readVectors } from "../support/vectors.ts";

const executions = process.env.SLOW ? 1_000_000 : 400;

/** Other work on the machine is no finding. */
const untimed = { seconds: Number.POSITIVE_INFINITY, slowMillis: Number.POSITIVE_INFINITY };

for (const target of targets)
  test(`${target.name}: changed inputs are taken or refused, nothing else`, async (t) => {
    if (process.env.SLOW) t.timeout(3_600_000);
    const done = await fuzz(target, { ...untimed, executions }, seededRandom(`fuzz ${target.name}`));
    t.deepEqual(done.findings, []);
    t.is(done.executions, executions);
    if (process.env.SLOW) t.true(done.accepted > 0, "no changed input is valid");
  });

test("a parser that throws something else, or has no valid seed, is told of", async (t) => {
  const seeds = [Buffer.from("seed")];
  const run = (target: Target) => fuzz(target, { ...untimed, executions: 50 }, seededRandom("control"));
  const careless: Target = {
    name: "careless",
    form: "bytes",
    seeds,
    run(bytes) {
      if (Buffer.from(bytes).toString() !== "seed") throw new TypeError("not foreseen");
    },
  };
  t.regex((await run(careless)).findings.join(), /not foreseen on \d+ bytes/);
  const refusing: Target = {
    ...careless,
    run() {
      throw new Refusal("message_malformed", "never");
    },
  };
  await t.throwsAsync(run(refusing), { instanceOf: Refusal });
});

/** What fuzzing found: each once threw an error that no caller expects. */
const { findings } = readVectors("fuzz-findings.json") as {
  readonly findings: readonly {
    readonly target: string;
    readonly replace: string;
    readonly by: string;
    readonly repeat?: readonly [string, string, number];
  }[];
};

for (const { target: name, replace, by, repeat } of findings)
  test(`found by fuzzing: ${name}, ${replace} as ${by}`, async (t) => {
    const target = targets.find((one) => one.name === name)!;
    const seed = target.seeds
      .map((bytes) => Buffer.from(bytes).toString())
      .find((one) => one.includes(replace))!;
    const [open, close, times] = repeat ?? ["", "", 0];
    const changed = seed.replace(replace, by.replace("…", open.repeat(times) + close.repeat(times)));
    t.not(changed, seed);
    await t.throwsAsync(async () => target.run(Buffer.from(changed)), { instanceOf: Refusal });
  });
