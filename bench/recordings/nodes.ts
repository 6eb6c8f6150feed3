import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { nodesets } from "node-opcua";
import type { CollectorContext } from "../../collectors/collector.ts";
import { collectorEntries } from "../../collectors/config.ts";
import { browseOpcua } from "../../collectors/opcua/browse.ts";
import { startOpcuaServer } from "../../collectors/simulators/opcua-server.ts";
import { collectorOf } from "./protocols.ts";

const companion = (name: string): string => `http://opcfoundation.org/UA/${name}/`;

/** The node ids of a companion specification's table: variables only, by number. */
function variableIds(file: string): Map<number, string> {
  const rows = parse(readFileSync(file)) as [string, string, string][];
  return new Map(rows.filter(([, , kind]) => kind === "Variable").map(([name, id]) => [Number(id), name]));
}

export interface NodeTable {
  readonly specification: string;
  readonly uri: string;
  readonly ids: ReadonlyMap<number, string>;
}

export interface NodeFigures {
  /** Variables of the example machine in its table, and those that browsing the server found. */
  readonly instance: number;
  readonly browsed: number;
  /** Of those found, with a value; the example's are texts and times. */
  readonly valued: number;
  readonly subscribed: readonly {
    readonly specification: string;
    readonly variables: number;
    readonly answered: number;
  }[];
  readonly connectMillis: number;
}

/** Tables of a data folder. */
export function nodeTables(data: string): NodeTable[] {
  const folder = join(data, "iot_opcua_nodeids");
  return [
    ["example machine", "Machinery_Example", "machinery_examples_nodeids.csv"],
    ["Machinery", "Machinery", "machinery_nodeids.csv"],
    ["MachineTool", "MachineTool", "machinetool_nodeids.csv"],
  ]
    .filter(([, , file]) => existsSync(join(folder, file!)))
    .map(([specification, name, file]) => ({
      specification: specification!,
      uri: companion(name!),
      ids: variableIds(join(folder, file!)),
    }));
}

/**
 * A server with the companion specifications and an example machine's address space: what browsing finds of the
 * machine, and for which of the tables' variables a subscription brings a value or a status.
 *
 * @param exampleFile - node set of the example machine.
 */
export async function readNodes(
  exampleFile: string,
  tables: readonly NodeTable[],
  log: CollectorContext["log"] = () => {},
): Promise<NodeFigures> {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-nodes-"));
  const server = await startOpcuaServer({
    now: Date.now,
    pki: join(folder, "pki"),
    variables: [],
    nodesets: [
      nodesets.di,
      nodesets.ia,
      nodesets.machinery,
      nodesets.isa95JobControl,
      nodesets.machineryJobs,
      nodesets.machineTool,
      exampleFile,
    ],
  });
  const context = { now: Date.now, random: Math.random, log };
  const connection = {
    endpoint: server.endpoint,
    security: "none",
    identity: "anonymous",
    publishing: "50ms",
    timeout: "60s",
    keepAlive: "60s",
  } as const;
  try {
    const groups = tables.map(({ specification, uri, ids }) => ({
      device: specification,
      nodes: [...ids].map(([id, name]) => ({ node: `nsu=${uri};i=${id}`, metric: name, unit: "1" })),
    }));
    const input = { opcua: { ...connection, groups } };
    const config = collectorEntries.parse([input])[0]!.opcua!;
    const found = new Set((await browseOpcua(config, context)).map((one) => one.node));

    const example = tables.find((one) => one.uri === companion("Machinery_Example"));
    const instance = [...(example?.ids ?? [])].filter(([, name]) => name.startsWith("Machines_"));
    const onMachine = new Set(
      instance.filter(([id]) => found.has(`nsu=${example!.uri};i=${id}`)).map(([, name]) => name),
    );

    const collector = await collectorOf(input, context);
    const began = performance.now();
    await collector.start();
    const answered = new Map(tables.map((one) => [one.specification, new Set<string>()]));
    const valued = new Set<string>();
    let left = tables.reduce((sum, one) => sum + one.ids.size, 0);
    let connectMillis = 0;
    for await (const batch of collector) {
      connectMillis ||= performance.now() - began;
      for (const { device, metric, value } of batch.readings) {
        answered.get(device)!.add(metric);
        if (value !== null && onMachine.has(metric)) valued.add(metric);
        left--;
      }
      batch.stored();
      // A node that the server does not have is an error of the collector and brings no reading.
      if (left <= collector.health().errors) break;
    }
    await collector.stop();
    return {
      instance: instance.length,
      browsed: onMachine.size,
      valued: valued.size,
      subscribed: tables.map(({ specification, ids }) => ({
        specification,
        variables: ids.size,
        answered: answered.get(specification)!.size,
      })),
      connectMillis,
    };
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}
