import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { device, recorded, site } from "../../../bench/cases/world.ts";
import { DeviceRegistry } from "../../../client-node/operations/device-registry.ts";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import { Pipeline } from "../../../client-node/operations/pipeline.ts";
import { Spool } from "../../../client-node/operations/spool.ts";
import { FeatureWatch } from "../../../client-node/operations/warnings/feature-watch.ts";
import { readProfiles } from "../../../client-node/operations/warnings/profiles.ts";
import { WarningStream } from "../../../client-node/operations/warnings/stream.ts";
import type { Batch } from "../../../collectors/collector.ts";
import { secureRandom } from "../../../core/random.ts";
import { monday, reading, second } from "../../support/readings.ts";

test("while the store is full nothing is acknowledged; after it, everything, once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-pipeline-"));
  mkdirSync(join(folder, "segments"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const spool = new Spool({
    path: join(folder, "spool.db"),
    maxBytes: 1e9,
    maxAgeSeconds: 1e9,
    random: secureRandom,
    now: () => 0,
  });
  const registry = new DeviceRegistry([device("press-1", "s")]);
  const sites = [site("s", "machining")];
  const catalogue = readCatalogue();
  const profiles = readProfiles();
  const shared = { catalogue, sites, exclusions: [], excludedStatuses: [] };
  const acknowledged: number[] = [];
  const pauses: number[] = [];
  const pipeline = new Pipeline({
    spool,
    segments: join(folder, "segments"),
    days: join(folder, "days"),
    compute: () => Promise.reject(new Error("no refresh here")),
    registry,
    reference: { ...shared, calibrations: [], declarations: [] },
    stream: new WarningStream({ ...shared, registry, profiles, fences: [], routes: new Map() }),
    watch: new FeatureWatch({ profiles, sites, specialDays: [] }),
    wait: async (pause) => {
      pauses.push(pause);
      t.deepEqual(acknowledged, []);
      if (pauses.length === 3) spool.limitPages(1_000_000);
    },
    onWarning: () => {},
    log: () => {},
  });
  spool.limitPages(8);
  const batches: Batch[] = Array.from({ length: 4 }, (_, b) => ({
    readings: Array.from({ length: 2000 }, (_, i) =>
      reading("press-1", "run_state", 1, monday + (b * 2000 + i) * second),
    ),
    stored: () => acknowledged.push(b),
  }));
  const collector = {
    ...recorded([]),
    [Symbol.asyncIterator]: async function* () {
      yield* batches;
    },
  };
  await pipeline.take(collector);
  t.deepEqual(pauses, [100, 200, 400]);
  t.deepEqual(acknowledged, [0, 1, 2, 3]);
  const [reports, joined] = await Promise.all([pipeline.cut(), pipeline.cut()]);
  t.is(joined, reports);
  t.is(
    reports.reduce((sum, one) => sum + one.readings, 0),
    8000,
  );
  t.is(
    reports.reduce((sum, one) => sum + one.duplicates, 0),
    0,
  );
  spool.close();
});
