import {
  AttributeIds,
  BrowseDirection,
  type ClientSession,
  DataType,
  NodeClass,
  type NodeId,
  ReferenceTypeIds,
} from "node-opcua";
import type { CollectorContext } from "../collector.ts";
import type { OpcuaServer } from "./config.ts";
import { connectOpcua, readIdentity } from "./connect.ts";

/** The reference to how a variable's history is kept: settings, not operating data. */
const historicalConfiguration = "ns=0;i=56";

/** A variable that could be collected. */
export interface BrowsedNode {
  /** As `node` in the configuration, with the namespace by URI. */
  readonly node: string;
  /** Browse names from the start to the variable, joined with "/". */
  readonly path: string;
  readonly dataType: string;
}

/** Deeper trees are cut: some servers' references form circles that only an endless walk would show. */
const maxDepth = 12;

/**
 * Lists the variables below a node, so that a person can choose.
 *
 * @param from - node id to start at; the Objects folder when absent.
 * @throws {Error} as `connectOpcua`.
 */
export async function browseOpcua(
  config: OpcuaServer,
  context: CollectorContext,
  from = "ns=0;i=85",
): Promise<BrowsedNode[]> {
  const never = new AbortController().signal;
  const connection = await connectOpcua(config, await readIdentity(config.identity), context, never);
  try {
    const uris = await connection.session.readNamespaceArray();
    return await walk(connection.session, uris, from);
  } finally {
    await connection.close();
  }
}

async function walk(session: ClientSession, uris: readonly string[], from: string): Promise<BrowsedNode[]> {
  const found: BrowsedNode[] = [];
  const seen = new Set<string>();
  let level: { nodeId: string; path: string }[] = [{ nodeId: from, path: "" }];
  for (let depth = 0; depth < maxDepth && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const parent of level) {
      for (const reference of await childrenOf(session, parent.nodeId)) {
        const nodeId = reference.nodeId.toString();
        if (seen.has(nodeId) || reference.referenceTypeId.toString() === historicalConfiguration) continue;
        seen.add(nodeId);
        const path = [parent.path, reference.browseName.name].filter(Boolean).join("/");
        // The server's description of itself is no one's operating data.
        if (reference.nodeId.namespace !== 0 && reference.nodeClass === NodeClass.Variable)
          found.push({ node: byUri(reference.nodeId, uris), path, dataType: await typeOf(session, nodeId) });
        if (nodeId !== "ns=0;i=2253") next.push({ nodeId, path });
      }
    }
    level = next;
  }
  return found;
}

async function childrenOf(session: ClientSession, nodeId: string) {
  const result = await session.browse({
    nodeId,
    browseDirection: BrowseDirection.Forward,
    referenceTypeId: ReferenceTypeIds.HierarchicalReferences,
    includeSubtypes: true,
    nodeClassMask: NodeClass.Object | NodeClass.Variable,
    resultMask: 63,
  });
  const references = result.references ?? [];
  let continuationPoint = result.continuationPoint;
  while (continuationPoint?.length) {
    const more = await session.browseNext(continuationPoint, false);
    references.push(...(more.references ?? []));
    continuationPoint = more.continuationPoint;
  }
  return references;
}

const byUri = (nodeId: NodeId, uris: readonly string[]): string =>
  nodeId.toString().replace(/^ns=\d+/, `nsu=${uris[nodeId.namespace]}`);

async function typeOf(session: ClientSession, nodeId: string): Promise<string> {
  const { value } = await session.read({ nodeId, attributeId: AttributeIds.DataType });
  const type = value?.value as NodeId | undefined;
  return (type?.namespace === 0 && DataType[Number(type.value)]) || String(type);
}
