import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { device, site } from "../../../bench/cases/world.ts";
import { Apart } from "../../../client-node/operations/apart.ts";
import { DeviceRegistry } from "../../../client-node/operations/device-registry.ts";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import type { Period, Reference } from "../../../client-node/operations/quality/reference.ts";
import { refreshApart } from "../../../client-node/operations/refresh/apart.ts";
import { cutSegment } from "../../../client-node/operations/segments.ts";
import { Spool } from "../../../client-node/operations/spool.ts";
import type { Reading } from "../../../collectors/reading.ts";
import { secureRandom } from "../../../core/random.ts";
import { day, hour, minute, monday, reading, second } from "../../support/readings.ts";

const period: Period = { from: monday, until: monday + 5 * day };
const ending = new AbortController();
const apart = new Apart(ending.signal);
test.after.always(() => ending.abort());

async function opened(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-refresh-"));
  const segments = join(folder, "segments");
  mkdirSync(segments);
  const spool = new Spool({
    path: join(folder, "spool.db"),
    maxBytes: 1e9,
    maxAgeSeconds: 1e9,
    random: secureRandom,
    now: () => 0,
  });
  t.teardown(() => {
    spool.close();
    rmSync(folder, { recursive: true });
  });
  const devices = ["press-1", "meter-1", "shift-1"].map((id) => device(id, "s"));
  const reference: Reference = {
    catalogue: readCatalogue(),
    devices,
    bindings: new DeviceRegistry(devices).bindings(),
    sites: [site("s", "machining")],
    exclusions: [],
    excludedStatuses: [],
    calibrations: [],
    declarations: [],
  };
  return {
    store: async (readings: readonly Reading[]) => {
      spool.append(readings);
      await cutSegment(spool, { folder: segments, deviceClass: () => "machine", maxReadings: 1e6 });
    },
    refresh: (days: string, extra: Partial<Reference> = {}, within: Period = period) =>
      refreshApart(
        { segments, days: join(folder, days), reference: { ...reference, ...extra }, period: within },
        apart,
      ),
    daysIn: (days: string) => readdirSync(join(folder, days)),
  };
}

/** A press, a meter and a device whose clock is nine hours slow, each with what the quality steps look for. */
function history(from: number, until: number): Reading[] {
  const made: Reading[] = [];
  for (let time = from; time < until; time += minute) {
    const n = Math.round((time - monday) / minute);
    const noise = ((n * 7919) % 101) / 101;
    // Spikes on both sides of midnight.
    const spike = n % 1440 === 0 || n % 1440 === 1438 ? 40 : 0;
    made.push(
      reading("press-1", "machine_temperature", 60 + noise + spike, time, { unit: "Cel" }),
      reading("meter-1", "active_power", 40 + 5 * noise, time, { unit: "kW" }),
      reading("shift-1", "cargo_temperature", 3 + noise, time - 9 * hour, {
        unit: "Cel",
        received: time + second,
      }),
    );
  }
  return made;
}

test("day by day, in another process: the same figures as all at once, to the last digit", async (t) => {
  const world = await opened(t);
  const computed: number[] = [];
  for (let from = monday; from < period.until; from += day) {
    await world.store(history(from, from + day));
    computed.push((await world.refresh("kept")).days.computed);
  }
  // Late readings of the second day: it and its neighbours are computed anew, nothing else.
  await world.store([reading("press-1", "spindle_load", 55, monday + day + hour, { unit: "%" })]);
  const kept = await world.refresh("kept");
  t.deepEqual([kept.days.computed, kept.days.kept], [3, 4]);
  const again = await world.refresh("kept");
  t.is(again.days.computed, 0);
  const whole = await world.refresh("whole");
  t.is(whole.days.computed, 7);
  t.deepEqual(kept.quality, whole.quality);
  t.deepEqual(kept.features, whole.features);
  t.deepEqual(again.features, whole.features);
  const count = whole.quality.faults.find(({ metric }) => metric === "machine_temperature")!;
  t.is(count.spike, 8, "spikes at midnight are seen beside the other day's readings");
  const slow = whole.quality.faults.find(({ metric }) => metric === "cargo_temperature")!;
  t.is(slow.used, slow.readings, "a slow clock is put right over midnight");
  t.true(slow.clock > 0);
});

test("what is known beside the readings, or a day that was dropped, makes days anew", async (t) => {
  const world = await opened(t);
  await world.store(history(monday, monday + day));
  await world.refresh("kept");
  const exclusions = [{ device: "press-1", from: monday, until: monday + hour, reason: "service" }];
  t.is((await world.refresh("kept", { exclusions })).days.kept, 0);
  const later = { from: monday + 4 * day, until: monday + 5 * day };
  await world.refresh("kept", { exclusions }, later);
  t.deepEqual(world.daysIn("kept"), [], "what nothing asks for is not kept");
});

test("what goes wrong in the process is said, and stopping ends it", async (t) => {
  const world = await opened(t);
  await world.store([reading("press-1", "spindle_load", 55, monday, { unit: "%" })]);
  await t.throwsAsync(world.refresh("kept", { sites: undefined as never }), { message: /undefined/ });
  const stopping = new AbortController();
  let pid = 0;
  const running = refreshApart(
    { segments: "/nowhere", days: "/nowhere", reference: {} as Reference, period },
    new Apart(stopping.signal),
    (started) => {
      pid = started;
      stopping.abort();
    },
  );
  await t.throwsAsync(running, { name: "AbortError" });
  t.throws(() => process.kill(pid, 0), { code: "ESRCH" }, "it is gone when that is told");
});

test("a small process begins those that do the jobs, all of them, and another where it was killed", async (t) => {
  const worker = new URL("../../support/parent-worker.ts", import.meta.url);
  const ending = new AbortController();
  const own = new Apart(ending.signal);
  t.teardown(() => ending.abort());
  const [first, second] = await Promise.all([own.do<number>(worker, {}), own.do<number>(worker, {})]);
  t.is(first, second);
  t.not(first, process.pid);
  process.kill(first, "SIGKILL");
  const broken = await t.throwsAsync(own.do(worker, {}));
  t.is((broken as NodeJS.ErrnoException).code, "PROCESS_ENDED");
  t.not(await own.do(worker, {}), first);
});
