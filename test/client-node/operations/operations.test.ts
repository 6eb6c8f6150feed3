import test from "ava";
import { within } from "../../../bench/cases/within.ts";
import { Engine } from "../../../client-node/operations/engine.ts";
import { FindingsStore, findingsFile } from "../../../client-node/operations/findings-store.ts";
import type { Warning } from "../../../client-node/operations/warnings/warning.ts";
import { Refusal } from "../../../core/reasons.ts";
import { history, hostileDevice, noon, openPlant, TurnedTimer, until } from "../../support/plant.ts";
import { day } from "../../support/readings.ts";

/** How often the engine was opened in this process, which has sockets to read. */
let enginesHere = 0;
test.before(() => {
  const open = Engine.open;
  Engine.open = (...options) => {
    enginesHere++;
    return open(...options);
  };
});

test("readings from sockets and files reach spool, warnings, segments, quality and features; a restart keeps them", async (t) => {
  const plant = await openPlant();
  t.teardown(() => plant.close());
  const told: Warning[] = [];
  const timer = new TurnedTimer();
  const operations = await plant.start({ timer, onWarning: (warning) => void told.push(warning) });

  const lines = [...history()];
  await plant.export("history", lines);
  await until(operations, () => (operations.collectors()[1]?.health.readings ?? 0) >= lines.length);
  await until(operations, () => operations.board.device(hostileDevice) !== undefined);
  t.true(operations.spool().readings > lines.length, "the press is live beside the history");

  plant.press.vibration = 7;
  await until(operations, () => told.some(({ type }) => type === "vibration_peak"));
  const [peak] = told.filter(({ type }) => type === "vibration_peak");
  t.is(peak?.device, hostileDevice);

  const { quality, features } = await operations.refresh();
  t.is(operations.spool().readings < lines.length, true, "what was spooled is cut");
  t.is(enginesHere, 0, "cut and refresh are done in other processes");
  const meter = quality.counts.find(({ device }) => device === "meter-1");
  t.is(meter?.source, "history");
  t.true(meter!.completed > meter!.delivered);
  const today = features.find(
    (row) => row.window === "day" && row.until > noon - day / 2 && row.site === "hall-1",
  );
  t.true(today!.values.get("operating_rate")! < 0.5);
  t.true(told.some(({ type, site }) => type === "operating_rate_fall" && site === "hall-1"));
  const { period } = operations.findings.quality()!;
  const whole = features.filter(({ from }) => from >= period.from);
  t.deepEqual(operations.findings.features(), whole);
  await operations.stop();

  plant.press.vibration = 1;
  const again = await plant.start({ onWarning: (warning) => void told.push(warning) });
  t.true(again.findings.delivered().has("history"), "who has delivered is known before anything new comes");
  const kept = again.findings.warnings(100);
  t.is(
    kept.find(({ id }) => id === peak?.id)?.closed !== undefined,
    true,
    "nobody watched the press meanwhile",
  );
  t.is(again.findings.quality()?.report.counts.length, quality.counts.length);
  const before = told.length;
  await again.refresh();
  t.is(told.length, before, "what was known is not told again");
  await again.stop();
});

test("time and nothing else makes the periodic refresh", async (t) => {
  const plant = await openPlant();
  t.teardown(() => plant.close());
  const timer = new TurnedTimer();
  const refreshed = Promise.withResolvers<void>();
  const operations = await plant.start({ timer, onRefresh: () => refreshed.resolve() });
  await until(operations, () => operations.board.size > 0);
  t.is(operations.findings.quality(), undefined);
  timer.turn();
  await within(() => "a refresh once its time has come", refreshed.promise);
  t.not(operations.findings.quality(), undefined);
  await operations.stop();
});

test("a device whose collector is not there, or not named where there are two, is refused and nothing is left running", async (t) => {
  const plant = await openPlant();
  t.teardown(() => plant.close());
  const sites = {
    sites: [{ id: "s", industry: "machining", utcOffsetHours: 0, norms: {}, declared: [] }],
    devices: [{ id: "d", site: "s", class: "lathe", maintenance: [], calibrations: [] }],
    fences: [],
    specialDays: [],
    maintenanceStatuses: [],
  };
  const unnamed = await t.throwsAsync(plant.start({ sites }), { instanceOf: Refusal });
  t.is(unnamed?.reason, "config_invalid");
  t.regex(unnamed!.message, /d: source is missing/);
  const [device] = sites.devices;
  const wrong = { ...sites, devices: [{ ...device!, source: "garage" }] };
  const unknown = await t.throwsAsync(plant.start({ sites: wrong }), { instanceOf: Refusal });
  t.regex(unknown!.message, /no collector garage/);
  new FindingsStore(findingsFile(plant.folder)).close();
});
