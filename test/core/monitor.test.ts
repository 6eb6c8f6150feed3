import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import test from "ava";
import { Registry } from "prom-client";
import type { NodeEvent } from "../../client-node/events.ts";
import { nodeMeters } from "../../client-node/meters.ts";
import { monitorSchema, startMonitor } from "../../core/monitor.ts";
import { LocalBank, temporaryDirectory } from "../../simulate/consortium.ts";
import { testConsortium } from "../support/wire-server.ts";

async function get(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const asked = request({ host: "127.0.0.1", port, path, headers }).end();
  const [answer] = await once(asked, "response");
  let text = "";
  for await (const part of answer) text += part;
  return { status: answer.statusCode, text };
}

test("who listens for others needs a token; the loopback does not", (t) => {
  for (const listen of ["127.0.0.1:9464", "[::1]:9464", "localhost:9464"])
    t.true(monitorSchema.safeParse({ listen }).success, listen);
  for (const listen of ["0.0.0.0:9464", "[::]:9464", "10.0.0.5:9464", "127.0.0.1.example:9464"])
    t.false(monitorSchema.safeParse({ listen }).success, listen);
  t.true(monitorSchema.safeParse({ listen: "0.0.0.0:9464", tokenFile: "monitor.token" }).success);
});

test("the token is asked for, a short one is refused, and another host's name is no loopback", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true }));
  const tokenFile = join(dir, "token");
  await writeFile(tokenFile, "short\n");
  const listen = "127.0.0.1:0";
  const troubles: string[] = [];
  await t.throwsAsync(
    startMonitor({ listen, tokenFile }, new Registry(), () => troubles),
    {
      message: /fewer than 16/,
    },
  );
  await writeFile(tokenFile, "a secret of its own\n");
  const guarded = await startMonitor({ listen, tokenFile }, new Registry(), () => troubles);
  t.teardown(() => guarded.close());
  t.is((await get(guarded.port, "/health")).status, 401);
  t.is((await get(guarded.port, "/metrics", { authorization: "Bearer a secret of its owm" })).status, 401);
  t.is((await get(guarded.port, "/health", { authorization: "Bearer a secret of its own" })).status, 200);

  const open = await startMonitor({ listen }, new Registry(), () => troubles);
  t.teardown(() => open.close());
  t.is((await get(open.port, "/health")).status, 200);
  t.is((await get(open.port, "/health", { host: `localhost:${open.port}` })).status, 200);
  t.is((await get(open.port, "/health", { host: `rebound.example:${open.port}` })).status, 401);
  t.is((await get(open.port, "/health", { host: "127.0.0.1.rebound.example" })).status, 401);
  t.is((await get(open.port, "/other")).status, 404);
  troubles.push("the database does not answer");
  t.deepEqual(JSON.parse((await get(open.port, "/health")).text), { status: "trouble", troubles });
  await t.throwsAsync(
    startMonitor({ listen: `127.0.0.1:${open.port}` }, new Registry(), () => []),
    {
      message: /cannot be listened on/,
    },
  );
});

test("a coordinator's metrics name the database, the log and its witnesses, refusals, room and certificates", async (t) => {
  const bank = await LocalBank.start({ monitor: { listen: "127.0.0.1:0" } });
  t.teardown(() => bank.stop());
  await t.throwsAsync(bank.operator.model("ab".repeat(32)));
  const port = bank.coordinator.monitorPort!;
  t.deepEqual(await get(port, "/health"), { status: 200, text: '{"status":"ok","troubles":[]}\n' });
  const { text } = await get(port, "/metrics");
  for (const line of [
    /^fedcredit_database_up 1$/m,
    /^fedcredit_connected_enterprises 0$/m,
    /^fedcredit_refusals_total\{reason="not_found"\} 1$/m,
    /^fedcredit_log_entries 2$/m,
    /^fedcredit_log_witnessed_entries 2$/m,
    /^fedcredit_disk_free_bytes\{folder="blobs"\} \d+$/m,
    /^fedcredit_certificate_days_left\{certificate="operator"\} 39\d/m,
    /^# TYPE fedcredit_phase_seconds histogram$/m,
  ])
    t.regex(text, line);
});

test("a node's metrics count what happens", async (t) => {
  const { credentials } = await testConsortium();
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true }));
  const meters = nodeMeters({
    dataDir: dir,
    now: Date.now,
    certificate: credentials.certificate,
    ledger: join(dir, "ledger.db"),
    operations: () => undefined,
  });
  t.deepEqual(meters.troubles(), ["the bank is not reached"]);
  const events: NodeEvent[] = [
    { type: "connected" },
    { type: "closed", roundId: "ab", outcome: "released", reason: "" },
    { type: "refused", roundId: "ab", reason: "policy_refuses", message: "no" },
  ];
  for (const event of events) meters.take(event);
  t.deepEqual(meters.troubles(), []);
  const text = await meters.registry.metrics();
  for (const line of [
    /^fedcredit_node_connected 1$/m,
    /^fedcredit_node_attempts_total\{outcome="released"\} 1$/m,
    /^fedcredit_node_refusals_total\{reason="policy_refuses"\} 1$/m,
    /^fedcredit_node_disk_free_bytes \d+$/m,
    /^fedcredit_node_certificate_days_left \d+/m,
  ])
    t.regex(text, line);
});
