/** Many equal things in a few lines of node.yaml: a list's item with `repeat` stands for as many as it says. */
import { z } from "zod";
import { Refusal } from "../core/reasons.ts";

/** Things that one file may stand for: far more than a node reads, and far fewer than would fill its memory. */
const most = 20_000;

const repeatSchema = z
  .record(z.string().regex(/^[a-z][a-zA-Z]*$/), z.tuple([z.int(), z.int()]))
  .refine((ranges) => Object.keys(ranges).length === 1, "one name, as in { n: [1, 200] }")
  .refine((ranges) => Object.values(ranges).every(([from, until]) => from <= until), "the lower end first");

export interface Repeated {
  readonly value: unknown;
  /** Where in the file a place of the value was written. */
  origin(path: readonly PropertyKey[]): PropertyKey[];
}

/**
 * Writes out every list item that has `repeat: { n: [1, 200] }`: in its texts `{n}` becomes 1 to 200, `{n+10}` 11 to
 * 210 and `{n:3}` 001 to 200; a text that is nothing else becomes the number.
 *
 * @param source - for messages: the file's name.
 * @throws Refusal config_invalid
 */
export function writtenOut(value: unknown, source: string): Repeated {
  const sources = new Map<string, number[]>();
  let count = 0;
  const walk = (one: unknown, path: readonly PropertyKey[]): unknown => {
    if (Array.isArray(one)) {
      const items: unknown[] = [];
      const from: number[] = [];
      for (const [i, item] of one.entries())
        for (const copy of copiesOf(item, source, [...path, i])) {
          if (++count > most)
            throw new Refusal("config_invalid", `${source}: more than ${most} items are repeated`);
          items.push(walk(copy, [...path, items.length]));
          from.push(i);
        }
      if (items.length !== one.length) sources.set(JSON.stringify(path), from);
      return items;
    }
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, walk(inner, [...path, key])]));
  };
  return {
    value: walk(value, []),
    origin: (path) =>
      path.map((key, i) =>
        typeof key === "number" ? (sources.get(JSON.stringify(path.slice(0, i)))?.[key] ?? key) : key,
      ),
  };
}

function copiesOf(item: unknown, source: string, path: readonly PropertyKey[]): unknown[] {
  if (typeof item !== "object" || item === null || !Object.hasOwn(item, "repeat")) return [item];
  const { repeat, ...rest } = item as Record<string, unknown>;
  const parsed = repeatSchema.safeParse(repeat);
  if (!parsed.success)
    throw new Refusal(
      "config_invalid",
      `${source}: ${path.join(".")}.repeat: ${parsed.error.issues[0]!.message}`,
      {
        hint: "write repeat: { n: [1, 200] }, and {n} where the number belongs",
      },
    );
  const [name, [from, until]] = Object.entries(parsed.data)[0]!;
  if (until - from >= most)
    throw new Refusal("config_invalid", `${source}: ${path.join(".")}.repeat: more than ${most} items`);
  return Array.from({ length: until - from + 1 }, (_, i) => filled(rest, name, from + i));
}

function filled(value: unknown, name: string, number: number): unknown {
  if (typeof value === "string") {
    const place = new RegExp(`\\{${name}([+-]\\d+)?(?::(\\d))?\\}`, "g");
    const alone = new RegExp(`^${place.source}$`).exec(value);
    if (alone !== null && alone[2] === undefined) return number + Number(alone[1] ?? 0);
    return value.replace(place, (_, more, digits) =>
      String(number + Number(more ?? 0)).padStart(Number(digits ?? 0), "0"),
    );
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, name, number));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, name, number)]));
}
