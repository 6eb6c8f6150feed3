import { isLoopback } from "../core/address.ts";
import { Refusal } from "../core/reasons.ts";
import type { CollectorContext } from "./collector.ts";
import type { CollectorEntry } from "./config.ts";
import type { Found } from "./runtime/found.ts";
import { readConfigured, readSecret } from "./runtime/secrets.ts";
import { systemTimer } from "./runtime/timer.ts";

export interface BrowseOptions {
  readonly context: CollectorContext;
  readonly signal: AbortSignal;
  /** Where to begin, in the protocol's own words; at its usual beginning when absent. */
  readonly from?: string | undefined;
  /** How many addresses or blocks are tried. */
  readonly count?: number | undefined;
  /** How long is listened where devices speak by themselves. */
  readonly seconds: number;
  /** Where a database's password stands, for an address. */
  readonly passwordFile?: string | undefined;
}

/** Addresses that can be browsed without a line in node.yaml. */
export const browsable = [
  "opc.tcp://HOST:4840",
  "modbus://HOST:502/UNIT",
  "mqtt://HOST:1883",
  "bacnet://HOST:47808",
  "s7://HOST:102/RACK/SLOT",
  "iec104://HOST:2404/STATION",
  "postgresql://USER@HOST/DATABASE",
  "mysql://USER@HOST/DATABASE",
] as const;

/**
 * What a device, a broker or a database has that could be collected.
 *
 * @param entry - of node.yaml.
 * @throws {Refusal} config_invalid where its protocol has nothing to browse.
 * @throws {Error} where it is not reached.
 */
export async function browseEntry(entry: CollectorEntry, options: BrowseOptions): Promise<Found[]> {
  const { context, signal, from, count, seconds } = options;
  const timer = context.timer ?? systemTimer;
  const { bacnet, iec104, modbus, mqtt, opcua, s7, sql } = entry;
  if (opcua) {
    const nodes = await (await import("./opcua/browse.ts")).browseOpcua(opcua, context, from);
    return nodes.map((node) => ({ ...node }));
  }
  if (modbus) {
    const { transport, timeout: timeoutMillis, units } = modbus;
    const { browseModbus } = await import("./modbus/browse.ts");
    const found: Found[] = [];
    for (const unit of new Set(units.map((one) => one.unit)))
      for (const one of await browseModbus({ transport, unit, timeoutMillis, from, count }, signal))
        found.push({ unit, ...one });
    return found;
  }
  if (mqtt) return (await import("./mqtt/browse.ts")).browseMqtt(mqtt, { seconds, signal, timer });
  if (bacnet) {
    const { browseBacnet } = await import("./bacnet/browse.ts");
    const found: Found[] = [];
    for (const { host, port, device } of bacnet.devices)
      for (const one of await browseBacnet({ host, port, timeoutMillis: bacnet.timeout }, { signal, timer }))
        found.push({ device, ...one });
    return found;
  }
  if (s7)
    return (await import("./s7/browse.ts")).browseS7(s7, signal, whole("--from", from ?? "1"), count ?? 100);
  if (iec104) return (await import("./iec104/browse.ts")).browseIec104(iec104, seconds, signal);
  if (sql) {
    const { password, tls } = sql;
    const ca = tls === "none" || tls.ca === undefined ? undefined : String(await readConfigured(tls.ca));
    return (await import("./sql/browse.ts")).browseSql(
      { config: sql, password: await readSecret(password), ca },
      signal,
    );
  }
  const [protocol] = Object.keys(entry);
  throw new Refusal("config_invalid", `${protocol} has no list of what there is`, {
    hint: "fedcredit node try shows what it says",
  });
}

/**
 * As `browseEntry`, of an address alone: an open server, or a database with a password in a file.
 *
 * @throws {Refusal} usage where it is no such address.
 */
export async function browseAddress(address: string, options: BrowseOptions): Promise<Found[]> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const host = url?.hostname.replace(/^\[|\]$/g, "") ?? "";
  if (url === undefined || host === "")
    throw new Refusal("usage", `${address} is no address`, { hint: `write ${browsable.join(", ")}` });
  const { context, signal, from, count, seconds } = options;
  const timer = context.timer ?? systemTimer;
  const port = (usual: number): number => (url.port === "" ? usual : Number(url.port));
  const path = url.pathname.split("/").slice(1);
  const part = (i: number, name: string, otherwise: string): number => whole(name, path[i] || otherwise);
  const timeout = 5_000;
  switch (url.protocol) {
    case "opc.tcp:": {
      const { opcuaServer } = await import("./opcua/config.ts");
      const opcua = opcuaServer.parse({ endpoint: address, security: "none", identity: "anonymous" });
      const nodes = await (await import("./opcua/browse.ts")).browseOpcua(opcua, context, from);
      return nodes.map((node) => ({ ...node }));
    }
    case "modbus:": {
      const transport = { kind: "tcp" as const, host, port: port(502) };
      const unit = part(0, "the unit", "1");
      const { browseModbus } = await import("./modbus/browse.ts");
      return browseModbus({ transport, unit, timeoutMillis: timeout, from, count }, signal);
    }
    case "mqtt:":
    case "mqtts:": {
      const { browseMqtt } = await import("./mqtt/browse.ts");
      const speaking = (protocol: "5" | "3.1.1") => ({
        url: `${url.protocol}//${url.host}`,
        protocol,
        clientId: "fedcredit",
        identity: "anonymous" as const,
        keepAlive: 30_000,
        timeout,
        inFlight: 1_000,
      });
      const listening = { seconds, signal, timer };
      // Older brokers speak 3.1.1 only, and hang up on anything else.
      return await browseMqtt(speaking("5"), listening).catch((error: unknown) =>
        browseMqtt(speaking("3.1.1"), listening).catch(() => {
          throw error;
        }),
      );
    }
    case "bacnet:": {
      const { browseBacnet } = await import("./bacnet/browse.ts");
      return browseBacnet({ host, port: port(47_808), timeoutMillis: timeout }, { signal, timer });
    }
    case "s7:": {
      const { browseS7 } = await import("./s7/browse.ts");
      const place = { rack: part(0, "the rack", "0"), slot: part(1, "the slot", "1") };
      const first = whole("--from", from ?? "1");
      return browseS7({ host, port: port(102), ...place, timeout }, signal, first, count ?? 100);
    }
    case "iec104:": {
      const { browseIec104, everyStation } = await import("./iec104/browse.ts");
      const station = part(0, "the station", String(everyStation));
      return browseIec104({ host, port: port(2404), station }, seconds, signal);
    }
    case "postgresql:":
    case "mysql:":
      return browseDatabase(url, host, options);
    default:
      throw new Refusal("usage", `${address} is nothing that can be browsed`, {
        hint: `write ${browsable.join(", ")}`,
      });
  }
}

async function browseDatabase(
  url: URL,
  host: string,
  { passwordFile, signal }: BrowseOptions,
): Promise<Found[]> {
  if (url.password !== "")
    throw new Refusal("usage", "a password in an address stays in the shell's history", {
      hint: "put it into a file and name that with --password-file",
    });
  if (passwordFile === undefined) throw new Refusal("usage", "--password-file is needed for a database");
  const config = {
    server: url.protocol === "mysql:" ? ("mysql" as const) : ("postgresql" as const),
    host,
    port: url.port === "" ? undefined : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
    tls: isLoopback(host) ? ("none" as const) : {},
    timeout: 15_000,
    batch: 1_000,
  };
  const { browseSql } = await import("./sql/browse.ts");
  return browseSql({ config, password: await readSecret({ file: passwordFile }), ca: undefined }, signal);
}

function whole(name: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new Refusal("usage", `${name}: ${text} is not a whole number`);
}
