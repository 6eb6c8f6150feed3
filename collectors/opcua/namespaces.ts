import type { ClientSession } from "node-opcua";
import { Refusal } from "../../core/reasons.ts";

/** @returns a function that turns `nsu=URI;…` into the `ns=N;…` this server uses now. */
export async function namespaceResolver(session: ClientSession): Promise<(node: string) => string> {
  const uris = await session.readNamespaceArray();
  return (node) => {
    const match = /^nsu=([^;]+);(.+)$/.exec(node);
    if (match === null) return node;
    const index = uris.indexOf(match[1]!);
    if (index < 0) throw new Refusal("config_invalid", `the server has no namespace ${match[1]}`);
    return `ns=${index};${match[2]}`;
  };
}
