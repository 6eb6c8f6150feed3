import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import type { CollectorContext, Timer } from "../../../collectors/collector.ts";
import type { Reading } from "../../../collectors/reading.ts";
import { Backoff } from "../../../collectors/runtime/backoff.ts";
import { duration, secret } from "../../../collectors/runtime/fields.ts";
import { BoundedQueue } from "../../../collectors/runtime/queue.ts";
import { readSecret } from "../../../collectors/runtime/secrets.ts";
import { Refused, supervise } from "../../../collectors/runtime/supervise.ts";
import { Watchdog } from "../../../collectors/runtime/watchdog.ts";
import { Refusal } from "../../../core/reasons.ts";

const reading = (value: number): Reading => ({
  device: "d",
  metric: "m",
  value,
  unit: "1",
  time: 0,
  received: 0,
  quality: "good",
  status: "ok",
  historical: false,
});
const parcel = (value: number) => ({ readings: [reading(value)], stored() {} });

test("backoff doubles its ceiling up to the cap and draws below it", (t) => {
  const backoff = new Backoff({ baseMillis: 100, capMillis: 1_000 }, () => 0.5);
  t.deepEqual(
    Array.from({ length: 6 }, () => backoff.next()),
    [50, 100, 200, 400, 500, 500],
  );
  backoff.reset();
  t.is(backoff.next(), 50);
  t.throws(() => new Backoff({ baseMillis: 0, capMillis: 1 }, () => 0), { instanceOf: RangeError });
});

test("two collectors that lost one server do not return in step", (t) => {
  const draws = [0.1, 0.9];
  const [a, b] = draws.map((draw) => new Backoff({ baseMillis: 100, capMillis: 1_000 }, () => draw).next());
  t.not(a, b);
});

test("queue keeps order and hands over what piled up together", (t) =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 9 }),
      async (count, batch) => {
        const queue = new BoundedQueue(count, batch);
        for (let i = 0; i < count; i++) queue.offer(parcel(i));
        queue.close();
        const taken: number[] = [];
        for (;;) {
          const parcels = await queue.take();
          if (parcels === undefined) break;
          t.true(parcels.length <= batch);
          taken.push(...parcels.map((p) => p.readings[0]!.value as number));
        }
        t.deepEqual(
          taken,
          Array.from({ length: count }, (_, i) => i),
        );
      },
    ),
  ));

test("a full queue refuses an offer and lets put wait for room", async (t) => {
  const queue = new BoundedQueue(2, 1);
  t.true(queue.offer(parcel(0)));
  t.true(queue.offer(parcel(1)));
  t.false(queue.offer(parcel(2)));
  let put = false;
  const waiting = queue.put(parcel(3)).then(() => {
    put = true;
  });
  await Promise.resolve();
  t.false(put);
  await queue.take();
  await waiting;
  t.true(put);
  t.is(queue.readings, 2);
});

test("watchdog barks at silence, not at a peer that shows life", async (t) => {
  await new Promise<void>((resolve) => new Watchdog(5, resolve));
  t.throws(() => new Watchdog(0, () => {}), { instanceOf: RangeError });
});

const stopped = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : once(signal, "abort");

/** A timer that never really waits and writes down what it was asked for. */
function recordingTimer(): Timer & { waits: number[] } {
  const waits: number[] = [];
  let now = 0;
  return {
    waits,
    elapsed: () => now,
    async wait(milliseconds) {
      waits.push(milliseconds);
      now += milliseconds;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
const context = (timer: Timer, log: CollectorContext["log"] = () => {}): CollectorContext => ({
  now: () => 1_000,
  random: () => 0.5,
  log,
  timer,
});

test("supervisor backs off after failures and starts anew once connected", async (t) => {
  const timer = recordingTimer();
  const outcomes = ["fail", "fail", "connect", "fail"];
  const { promise: exhausted, resolve } = Promise.withResolvers<void>();
  const collector = supervise(
    "c",
    context(timer),
    {
      async run(link) {
        const outcome = outcomes.shift();
        if (outcome === undefined) {
          resolve();
          await stopped(link.signal);
          return;
        }
        if (outcome === "connect") link.connected();
        throw new Error("lost");
      },
    },
    { backoff: { baseMillis: 100, capMillis: 10_000 } },
  );
  t.is(collector.health().state, "stopped");
  await collector.start();
  await exhausted;
  t.deepEqual(timer.waits, [50, 100, 50, 100]);
  t.is(collector.health().errors, 4);
  t.is(collector.health().reconnects, 0);
  t.is(collector.health().lastError, "lost");
  await collector.stop();
  t.is(collector.health().state, "stopped");
  await t.throwsAsync(collector.start(), { instanceOf: TypeError });
});

test("a wall clock that was set is noticed, a drifting one is not", async (t) => {
  const logged: unknown[] = [];
  let wall = 1_000_000;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const collector = supervise(
    "c",
    {
      ...context(
        recordingTimer(),
        (_, message, fields) => message.startsWith("wall") && logged.push(fields?.stepMillis),
      ),
      now: () => wall,
    },
    {
      async run(link) {
        t.is(link.now(), 1_000_000_000);
        wall += 3_600_000;
        link.now();
        wall += 500;
        link.now();
        wall -= 7_200_000;
        link.now();
        resolve();
        await stopped(link.signal);
      },
    },
  );
  await collector.start();
  await done;
  await collector.stop();
  t.is(logged.length, 2);
});

test("a batch is receipted once, and what was read before stop() is still handed over", async (t) => {
  let stored = 0;
  const collector = supervise(
    "c",
    context(recordingTimer()),
    {
      async run(link) {
        for (const value of [1, 2, 3]) await link.emit([reading(value)], () => stored++);
        await stopped(link.signal);
      },
    },
    { queueReadings: 1 },
  );
  await collector.start();
  await collector.stop();
  const values: unknown[] = [];
  for await (const batch of collector) {
    values.push(...batch.readings.map((r) => r.value));
    batch.stored();
    batch.stored();
  }
  t.deepEqual(values, [1, 2, 3]);
  t.is(stored, 3);
});

test("dropped readings are counted", async (t) => {
  const collector = supervise(
    "c",
    context(recordingTimer()),
    {
      async run(link) {
        t.true(link.offer([reading(1)]));
        t.false(link.offer([reading(2)]));
        await stopped(link.signal);
      },
    },
    { queueReadings: 1 },
  );
  await collector.start();
  for await (const batch of collector) {
    t.is(batch.readings.length, 1);
    break;
  }
  await collector.stop();
  t.regex(collector.health().lastError ?? "", /1 readings dropped/);
});

test("a secret that is missing keeps the source down and says so, until it is there", async (t) => {
  const { promise: ran, resolve: run } = Promise.withResolvers<void>();
  let tries = 0;
  const states: [string, string | undefined][] = [];
  const collector = supervise("c", context(recordingTimer()), {
    async prepare() {
      if (tries > 0) states.push([collector.health().state, collector.health().lastError]);
      if (++tries < 3) throw new Refusal("file_missing", "no password file");
    },
    async run(link) {
      link.connected();
      run();
      await new Promise<void>((resolve) => link.signal.addEventListener("abort", () => resolve()));
    },
  });
  await collector.start();
  await ran;
  t.is(tries, 3);
  t.deepEqual(states, [
    ["connecting", "no password file"],
    ["connecting", "no password file"],
  ]);
  t.like(collector.health(), { state: "running", errors: 2 });
  await collector.stop();
});

test("who is refused asks again seldom, with the secret read anew", async (t) => {
  const timer = recordingTimer();
  let prepared = 0;
  const { promise: twice, resolve } = Promise.withResolvers<void>();
  const collector = supervise("c", context(timer), {
    async prepare() {
      prepared++;
    },
    async run() {
      if (prepared === 2) resolve();
      throw new Refused("wrong password", undefined);
    },
  });
  await collector.start();
  await twice;
  await collector.stop();
  t.is(timer.waits[0], 15 * 60_000);
  t.regex(collector.health().lastError ?? "", /wrong password/);
});

test("durations are read with their unit and refused without", (t) => {
  t.is(duration.parse("500ms"), 500);
  t.is(duration.parse("1.5s"), 1_500);
  t.is(duration.parse("15m"), 900_000);
  t.is(duration.parse("1h"), 3_600_000);
  for (const wrong of ["1", "1 s", "-1s", "0s", "1d"])
    t.throws(() => duration.parse(wrong), undefined, wrong);
});

test("a secret is read where it is named, and cannot be written in the configuration", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "secret-"));
  const file = join(folder, "password");
  await writeFile(file, "tower\n");
  process.env.RUNTIME_TEST_SECRET = "bridge";
  t.is(await readSecret({ file }), "tower");
  t.is(await readSecret({ env: "RUNTIME_TEST_SECRET" }), "bridge");
  t.throws(() => secret.parse("tower"));
  const missing = await t.throwsAsync<Refusal>(readSecret({ file: join(folder, "none") }), {
    instanceOf: Refusal,
  });
  t.is(missing?.reason, "file_missing");
  const unset = await t.throwsAsync<Refusal>(readSecret({ env: "RUNTIME_TEST_UNSET" }), {
    instanceOf: Refusal,
  });
  t.is(unset?.reason, "config_invalid");
  await rm(folder, { recursive: true });
});
