import test from "ava";
import { ownRule, threeSigma } from "../../../bench/anomaly/detectors.ts";
import { behaviours, machine, single } from "../../../bench/anomaly/generate.ts";
import type { Recording } from "../../../bench/anomaly/recording.ts";
import { nabProfiles, nabScore, normalised } from "../../../bench/anomaly/score.ts";
import { at, day, device, hour, inWorld, minute, reading, site } from "../../../bench/cases/world.ts";
import { DeviceRegistry } from "../../../client-node/operations/device-registry.ts";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import { FindingsStore } from "../../../client-node/operations/findings-store.ts";
import { extremeLimit, robust } from "../../../client-node/operations/warnings/anomaly/limit.ts";
import { readProfiles } from "../../../client-node/operations/warnings/profiles.ts";
import { noPast, type Past } from "../../../client-node/operations/warnings/rule.ts";
import { anomaly } from "../../../client-node/operations/warnings/rules/anomaly.ts";
import { WarningStream } from "../../../client-node/operations/warnings/stream.ts";
import { seededRandom, uniform } from "../../../core/random.ts";

const { returnBlocks } = readProfiles().of("default").anomaly;
const rule = ownRule(returnBlocks);
const hits = ({ quiet, windows }: Recording, told: readonly number[]) => ({
  found: windows.filter(([from, until]) => told.some((row) => row >= from && row <= until)).length,
  false: told.filter((row) => row >= quiet && !windows.some(([from, until]) => row >= from && row <= until))
    .length,
});

test("NAB's score: silence is 0, perfection 100, and the sigmoid is the published one", (t) => {
  const labelled = { rows: 1000, probation: 150, windows: [[400, 499]] as const };
  const score = (detections: readonly number[], profile = 0) =>
    normalised([nabScore(labelled, detections, nabProfiles[profile]!)]);
  t.is(score([]), 0);
  t.is(score([400]), 100);
  // scaledSigmoid(-0.51) / scaledSigmoid(-1): 0.855… / 0.98661…
  t.true(
    Math.abs(score([449]) - 100 * ((1 + (2 / (1 + Math.exp(-2.55)) - 1) / 0.9866142981514303) / 2)) < 1e-9,
  );
  // A false alarm far from any window costs its whole weight, one just behind a window almost nothing.
  t.true(Math.abs(score([200, 400]) - (100 - 5.5)) < 1e-9);
  t.true(Math.abs(score([200, 400], 1) - (100 - 11)) < 1e-9);
  t.true(Math.abs(score([200, 400], 2) - (100 - 11 / 3)) < 1e-9);
  t.true(score([400, 501]) > 99.7);
  t.is(score([10, 400]), 100, "nothing is judged during probation");
});

test("a limit is passed about as rarely as it says", (t) => {
  const random = seededRandom("gumbel");
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
  const limits = Array.from({ length: 200 }, () =>
    extremeLimit(
      Array.from({ length: 24 * 20 }, () => Math.abs(normal())),
      1000,
    ),
  );
  // Of 20 values, the largest of 1000 blocks: P(|x| > z) = 1 / 20,000 at z = 4.06; Gumbel's tail lies above it.
  const { centre } = robust(limits);
  t.true(centre > 4.06 && centre < 5.5, String(centre));
  t.is(extremeLimit([1, 2, 3], 1000), Number.POSITIVE_INFINITY);
});

test("a channel is told about when it leaves its own ways, and not before", (t) => {
  const all = single("test");
  // Noise, heavy tails, inertia; each takes half a second.
  const most = process.env.SLOW ? all.faulty.length : 3;
  const [faulty, healthy] = [all.faulty.slice(0, most), all.healthy.slice(0, most)];
  let [found, wrong, windows] = [0, 0, 0];
  for (const one of faulty) {
    const seen = hits(one, rule(one).told);
    found += seen.found;
    wrong += seen.false;
    windows += one.windows.length;
  }
  const quiet = healthy.map((one) => hits(one, rule(one).told).false);
  t.true(found >= 0.85 * windows, `${found} of ${windows}`);
  t.true(wrong <= 0.2 * windows, `${wrong} false`);
  t.true(quiet.reduce((sum, one) => sum + one, 0) <= 2, quiet.join());
  t.is(all.faulty.length, Object.keys(behaviours).length);
});

test("channels that no longer go together are told about while each is in its own range", (t) => {
  const { faulty } = machine("test");
  const together = hits(faulty, rule(faulty).told);
  t.true(together.found >= 3, JSON.stringify(together));
  t.true(together.false <= 2, JSON.stringify(together));
  // The control: no channel's own range says so.
  const alone = [...faulty.channels].map(([name, values]) =>
    hits(faulty, rule({ ...faulty, channels: new Map([[name, values]]) }).told),
  );
  t.true(Math.max(...alone.map((one) => one.found)) < together.found);
  t.true(hits(faulty, threeSigma(faulty).told).false > together.false);
});

const from = at("2026-03-02");
const powerAt = (time: number): number =>
  40 + 3 * Math.sin((2 * Math.PI * time) / day) + ((time / minute) % 7) / 7 + ((time / minute) % 11) / 11;

test("any gauge of a device is watched, and planned work is not", async (t) => {
  const told = (shift: number, exclusions: { from: number; until: number }[] = []) =>
    inWorld(
      {
        sites: [site("s", "machining")],
        devices: [device("m-1", "s")],
        exclusions: exclusions.map((one) => ({ device: "m-1", reason: "bearing", ...one })),
      },
      async (world) => {
        const begin = from + 16 * day;
        const readings = [];
        for (let time = from; time < from + 18 * day; time += 10 * minute) {
          const more = time >= begin && time < begin + 6 * hour ? shift : 0;
          readings.push(reading("m-1", "torque", powerAt(time) + more, "N.m", time));
        }
        await world.play(readings);
        return world.told.map((one) => [one.type, one.closed === undefined, (one.onset - begin) / hour]);
      },
    );
  const [opened, closed, ...more] = await told(30);
  t.deepEqual(more, []);
  t.deepEqual(opened!.slice(0, 2), ["anomaly", true]);
  t.true(Number(opened![2]) >= 0 && Number(opened![2]) < 1);
  t.deepEqual(closed!.slice(0, 2), ["anomaly", false]);
  t.deepEqual(await told(0), []);
  const work = { from: from + 16 * day, until: from + 16.25 * day };
  t.deepEqual(await told(30, [work]), []);
});

test("what was learned outlives the process; without it a fault right after the start is not seen", (t) => {
  const store = new FindingsStore(":memory:");
  t.teardown(() => store.close());
  const past: Past = {
    of: (id, length) => store.past(id, length),
    keep: (id, length, step, cells) => store.recordPast([{ device: id, length, step, cells }]),
  };
  const start = (known: Past) =>
    anomaly.create({
      catalogue: readCatalogue(),
      past: known,
      limits: [],
      room: () => true,
      device: device("m-1", "s"),
      site: site("s", "machining"),
      profile: readProfiles().of("machining"),
      fences: [],
      route: undefined,
      fleet: { report() {}, crawlingNear: () => 0 },
    })!;
  const observe = (one: ReturnType<typeof start>, time: number, shift = 0) =>
    one.observe({ metric: "torque", value: powerAt(time) + shift, time, received: time, excluded: false });
  const first = start(past);
  for (let time = from; time < from + 15 * day; time += 10 * minute) observe(first, time);
  const fault = (known: Past) => {
    const again = start(known);
    return Array.from({ length: 12 }, (_, i) => observe(again, from + 15 * day + i * 10 * minute, 30)).flat();
  };
  t.is(fault(past)[0]?.type, "anomaly");
  t.deepEqual(fault(noPast), []);
  store.forgetPast(from + 100 * day);
  t.is(store.past("m-1", 1_800_000_000).size, 0);
});

test("gauges beyond what a node's memory holds are counted and not watched, whoever floods it", (t) => {
  const devices = Array.from({ length: 2100 }, (_, i) => device(`m-${i}`, "s"));
  const stream = new WarningStream({
    catalogue: readCatalogue(),
    registry: new DeviceRegistry(devices),
    sites: [site("s", "machining")],
    profiles: readProfiles(),
    exclusions: [],
    excludedStatuses: [],
    fences: [],
    routes: new Map(),
  });
  const observe = () => devices.map(({ id }) => stream.observe(reading(id, "torque", 40, "N.m", from)));
  observe();
  t.is(stream.unwatched, 100);
  observe();
  t.is(stream.unwatched, 100, "counted once");
});
