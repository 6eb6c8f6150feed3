import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { eventually } from "../../../bench/cases/within.ts";
import { startOperations } from "../../../client-node/operations/operations.ts";
import { sitesSchema } from "../../../client-node/operations/sites.ts";
import { collectorEntries } from "../../../collectors/config.ts";
import { secureRandom } from "../../../core/random.ts";

test("a missing secret and a refused password keep their own source down; the page is told which and why", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-troubles-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "inbox"));
  writeFileSync(join(folder, "wrong"), "tower");
  let asked = 0;
  // CONNACK, not authorized: MQTT 3.1.1, section 3.2.
  const broker = createServer((socket) =>
    socket.once("data", () => {
      asked++;
      socket.end(Buffer.from([0x20, 2, 0, 5]));
    }),
  );
  await new Promise<void>((resolve) => broker.listen(0, "127.0.0.1", resolve));
  t.teardown(() => broker.close());
  const url = `mqtt://127.0.0.1:${(broker.address() as { port: number }).port}`;
  const mqtt = (name: string, file: string) => ({
    mqtt: {
      name,
      url,
      protocol: "3.1.1",
      clientId: name,
      identity: { user: "u", password: { file: join(folder, file) } },
      plainPassword: "accepted",
      topics: [{ topic: "{device}/{metric}", format: "text", units: { speed: "km/h" } }],
    },
  });
  const operations = await startOperations({
    dataDir: folder,
    collectors: collectorEntries.parse([
      mqtt("missing", "none"),
      mqtt("refused", "wrong"),
      {
        file: {
          name: "exports",
          folder: join(folder, "inbox"),
          state: join(folder, "seen.db"),
          format: "csv",
          device: "till",
          time: { column: "at" },
          columns: [
            { column: "power", metric: "active_powr", unit: "kW" },
            { column: "energy", metric: "active_energy", unit: "kWh" },
          ],
          every: "5ms",
          settle: "5ms",
        },
      },
    ]),
    sites: sitesSchema.parse({ sites: [], devices: [] }),
    spoolBytes: 1e9,
    keepDays: 400,
    refreshMillis: 3_600_000,
    refreshDays: 2,
    now: Date.now,
    random: secureRandom,
    log() {},
  });
  t.teardown(() => operations.stop());
  writeFileSync(join(folder, "x.part"), "at,power,energy\n2026-03-02,1,2\n9999-01-01,1,2\n");
  renameSync(join(folder, "x.part"), join(folder, "inbox", "x.csv"));
  const said = (): string =>
    operations
      .troubles()
      .map(({ what }) => what)
      .join("\n");
  await eventually(() => said().includes("set aside") && said().includes("source refused is refused"));
  t.regex(said(), /source missing is \w+: cannot read .*none/);
  t.regex(said(), /source refused is refused: the broker refuses this user/);
  t.regex(said(), /the catalogue does not know: active_powr/);
  t.regex(said(), /no UCUM code: active_energy \(kWh\)/);
  t.regex(said(), /set aside, time future: till/);
  t.deepEqual(
    operations.setAside().map(({ reason, readings }) => [reason, readings]),
    [
      ["time_future", 1],
      ["time_future", 1],
    ],
  );
  t.is(asked, 1);
});
