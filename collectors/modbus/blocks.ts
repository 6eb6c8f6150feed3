import type { RegisterPlace, Table } from "./registers.ts";

/** One read request: `count` registers (or bits) of a table, from `address` on. */
export interface Block<Item> extends RegisterPlace {
  readonly count: number;
  readonly items: readonly Item[];
}

/** Largest counts one request may ask for. @see Modbus Application Protocol 1.1b3, sections 6.1 to 6.4 */
export const protocolLimit = (table: Table): number =>
  table === "coil" || table === "discrete" ? 2000 : 125;

/**
 * Merges neighbouring registers into few requests.
 *
 * @param maxGap - unused registers a request may read over; some devices refuse any.
 * @param maxCount - registers per request at most; the protocol's own limit applies too.
 * @returns blocks ordered by table and address; every item is in exactly one.
 */
export function mergeReads<Item extends RegisterPlace & { readonly count: number }>(
  items: readonly Item[],
  maxGap: number,
  maxCount: number,
): Block<Item>[] {
  const sorted = [...items].sort((a, b) => a.table.localeCompare(b.table) || a.address - b.address);
  const blocks: { table: Table; address: number; count: number; items: Item[] }[] = [];
  for (const item of sorted) {
    const last = blocks.at(-1);
    const limit = Math.min(maxCount, protocolLimit(item.table));
    const end = item.address + item.count;
    if (
      last?.table === item.table &&
      item.address - (last.address + last.count) <= maxGap &&
      end - last.address <= limit
    ) {
      last.count = Math.max(last.count, end - last.address);
      last.items.push(item);
    } else {
      blocks.push({ table: item.table, address: item.address, count: item.count, items: [item] });
    }
  }
  return blocks;
}
