import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StatusCodes } from "node-opcua";
import { opcuaConfig } from "../../../collectors/opcua/config.ts";
import { opcuaCollector } from "../../../collectors/opcua.ts";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import { startOpcuaServer } from "../../../collectors/simulators/opcua-server.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["lathe-1", "lathe-2"] as const;

/** Secured (Basic256Sha256, sign and encrypt, user identity), with history to fill outages from. */
export const opcua: Adapter = {
  name: "opcua",
  source: "keeps",
  async open() {
    const folder = await mkdtemp(join(tmpdir(), "opcua-"));
    const trusted = join(folder, "client/trusted/certs");
    const options = {
      now: Date.now,
      pki: join(folder, "server"),
      variables: devices,
      users: { press: "tower" },
    };
    let server = await startOpcuaServer(options);
    await mkdir(trusted, { recursive: true });
    await copyFile(server.certificateFile, join(trusted, "server.pem"));
    const line = await startFaultProxy(server.port, randomBytes);
    const next = new Map<string, number>(devices.map((device) => [device, 0]));
    const dead = new Set<string>();
    process.env.OPCUA_TEST_PASSWORD = "tower";
    return {
      devices,
      line,
      collector: (context, limits) =>
        opcuaCollector(
          opcuaConfig.parse({
            endpoint: `opc.tcp://127.0.0.1:${line.port}`,
            security: { mode: "SignAndEncrypt", policy: "Basic256Sha256", pki: join(folder, "client") },
            identity: { user: "press", password: { env: "OPCUA_TEST_PASSWORD" } },
            publishing: "50ms",
            keepAlive: "500ms",
            timeout: "5s",
            history: true,
            groups: devices.map((device) => ({
              device,
              nodes: [{ node: `nsu=urn:simulator:opcua;s=${device}`, metric: "n", unit: "1" }],
            })),
          }),
          context,
          limits,
        ),
      async produce(device, count) {
        if (dead.has(device)) return;
        for (let i = 0; i < count; i++) {
          const n = next.get(device)!;
          next.set(device, n + 1);
          server.set(device, n);
        }
      },
      kill(device) {
        dead.add(device);
        server.set(device, -1, StatusCodes.BadNoCommunication);
      },
      revive: (device) => void dead.delete(device),
      async restart() {
        await server.close();
        server = await startOpcuaServer({ ...options, port: server.port });
      },
      async close() {
        await line.close();
        await server.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};
