import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test from "ava";
import { stringify } from "yaml";
import type { NodeEvent } from "../../client-node/events.ts";
import { secretFiles, writePins } from "../../client-node/federation/credentials.ts";
import { LocalBank, policyFor } from "../../simulate/consortium.ts";
import { beginLedger } from "../support/enrolled.ts";
import { openPlant } from "../support/plant.ts";
import { borrowerFeatures, studyOf } from "../support/rows.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));

test("node start collects, warns and shows the page from one node.yaml, and ends when it is told to", async (t) => {
  const plant = await openPlant();
  const bank = await LocalBank.start();
  t.teardown(async () => {
    await bank.stop();
    await plant.close();
  });
  const dir = join(plant.folder, "node");
  const data = join(dir, "data");
  await mkdir(data, { recursive: true });
  const credentials = (await bank.enrolAll(["mill"])).get("mill")!;
  for (const { path, text } of secretFiles(data, credentials)) await writeFile(path, text, { mode: 0o600 });
  const { enterprise, consortium, certificate, ca, bankKey, auditorKey } = credentials;
  writePins(data, { enterprise, consortium, certificate, ca, bankKey, auditorKey });
  beginLedger(data);
  await writeFile(
    join(dir, "node.yaml"),
    `enterprise: mill
consortium: ${consortium}
coordinator: ${bank.coordinator.address}
enrolment: ${bank.coordinator.enrolmentAddress}
dataDir: data
page: 127.0.0.1:0
refresh: { every: 1s, days: 3 }
sites:
  - { id: hall-1, industry: machining, utcOffsetHours: 8, norms: { active_energy: 960 } }
devices:
  - id: press-1
    site: hall-1
    class: press
    maintenance: [{ from: 2026-01-01, until: 2026-01-02T08:00, reason: yearly service }]
collectors:
  - modbus:
      host: 127.0.0.1
      port: ${plant.gateway.port}
      unit: 1
      device: press-1
      registers:
        - { address: 40001, type: f32, metric: vibration_peak, unit: "[g]", every: 20ms }
        - { address: 40003, type: f32, metric: active_power, unit: kW, every: 20ms }
`,
  );
  await writeFile(join(dir, "policy.yaml"), stringify(policyFor(studyOf(borrowerFeatures, []))));
  plant.press.vibration = 8;

  const child = spawn(process.execPath, ["--no-warnings", cli, "node", "start", "--dir", dir, "--json"]);
  t.teardown(() => child.kill("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += String(chunk);
  });
  const exited = once(child, "exit");
  const seen = new Map<string, NodeEvent>();
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as NodeEvent;
    seen.set(event.type, event);
    if (["connected", "page", "warning", "refreshed"].every((type) => seen.has(type))) break;
  }
  const warning = seen.get("warning");
  t.is(warning?.type === "warning" && warning.warning.type, "vibration_peak", errors);
  const page = seen.get("page");
  if (page?.type !== "page") return t.fail(errors);
  t.regex(await (await fetch(page.url)).text(), /press-1/);
  t.regex(await (await fetch(new URL("/studies", page.url))).text(), /No study has been proposed/);
  t.regex(
    await (await fetch(new URL("/egress", page.url))).text(),
    /Studies\.List|Health|Participate|Roster/i,
  );
  child.stdout.resume();
  child.kill("SIGTERM");
  t.deepEqual(await exited, [0, null], errors);
  t.true((await readFile(join(data, "spool.db"))).length > 0);
});
