/** What a reader may have meant: the keys a schema knows at a place, and the names nearest to what was written. */
import { z } from "zod";

interface Shape {
  readonly properties?: Record<string, Shape>;
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
}

/** @returns the keys that the schema knows at a place; none where any key is allowed. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const whole = z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" });
  const spread = (shape: Shape): Shape[] => [
    shape,
    ...[...(shape.anyOf ?? []), ...(shape.oneOf ?? [])].flatMap(spread),
  ];
  let shapes = spread(whole as Shape);
  for (const key of path)
    shapes = shapes
      .flatMap(({ additionalProperties, items, properties }) => {
        if (typeof key === "number") return items ?? [];
        const own = Object.hasOwn(properties ?? {}, key) ? properties![String(key)]! : undefined;
        return own ?? (typeof additionalProperties === "object" ? additionalProperties : []);
      })
      .flatMap(spread);
  return [...new Set(shapes.flatMap((shape) => Object.keys(shape.properties ?? {})))];
}

/** @returns all names, those nearest to what was written first, by shared pairs of letters. */
export function nearest(name: string, names: readonly string[]): string[] {
  const pairs = (text: string) => new Set(Array.from(text.slice(1), (letter, i) => text[i]! + letter));
  const own = pairs(name.toLowerCase());
  const share = (other: string): number => {
    const its = pairs(other.toLowerCase());
    return (2 * [...own].filter((pair) => its.has(pair)).length) / (own.size + its.size || 1);
  };
  const shares = new Map(names.map((one) => [one, share(one)]));
  return [...names].sort((a, b) => shares.get(b)! - shares.get(a)!);
}
