import { readFileSync } from "node:fs";
import { isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { readRefusal } from "../../core/files.ts";
import { nodeConfigSchema } from "../config.ts";
import type { Catalogue } from "../operations/features/catalogue.ts";
import { conversion } from "../operations/features/units.ts";

/** One thing in node.yaml that will not work. */
export interface Problem {
  readonly line: number;
  /** Keys and places from the top, joined by dots; "" for the whole file. */
  readonly path: string;
  readonly message: string;
  /** What would be valid, where that can be told. */
  readonly valid?: readonly string[];
}

/**
 * Everything in node.yaml that will not work, not the first alone.
 *
 * @throws Refusal file_missing
 */
export function checkNodeFile(file: string, catalogue: Catalogue): Problem[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw readRefusal(file, error);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0)
    return document.errors.map(({ pos, code }) => ({
      line: lines.linePos(pos[0]).line,
      path: "",
      message: `not YAML (${code})`,
    }));
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const found = document.getIn(path.slice(0, length), true);
      if (isNode(found) && found.range) return lines.linePos(found.range[0]).line;
    }
    return 1;
  };
  const value: unknown = document.toJS() ?? {};
  const parsed = nodeConfigSchema.safeParse(value);
  const problems = (parsed.error?.issues ?? []).flatMap((issue): Problem[] =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({
          line: lineOf([...issue.path, key]),
          path: [...issue.path, key].join("."),
          message: "unknown key",
          valid: keysAt(issue.path),
        }))
      : [{ line: lineOf(issue.path), path: issue.path.join("."), message: issue.message }],
  );
  for (const { path, metric, unit } of metricsIn(value, [])) {
    const known = catalogue.metrics.get(metric);
    if (known === undefined)
      problems.push({
        line: lineOf([...path, "metric"]),
        path: [...path, "metric"].join("."),
        message: `no metric ${metric} in the catalogue: it would be kept and used by nothing`,
        valid: alike(metric, [...catalogue.metrics.keys()]),
      });
    else if (unit !== undefined && conversion(unit, known.unit) === undefined)
      problems.push({
        line: lineOf([...path, "unit"]),
        path: [...path, "unit"].join("."),
        message: `${unit} is no UCUM unit of the kind of ${metric}`,
        valid: [known.unit],
      });
  }
  return problems.sort((a, b) => a.line - b.line);
}

interface MetricUse {
  readonly path: readonly PropertyKey[];
  readonly metric: string;
  readonly unit: string | undefined;
}

/** Whatever names a metric, at any depth: every collector writes it alike. */
function metricsIn(value: unknown, path: readonly PropertyKey[]): MetricUse[] {
  if (typeof value !== "object" || value === null) return [];
  const inside = Object.entries(value).flatMap(([key, one]) =>
    metricsIn(one, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  const { metric, unit } = value as { metric?: unknown; unit?: unknown };
  if (typeof metric !== "string") return inside;
  return [{ path, metric, unit: typeof unit === "string" ? unit : undefined }, ...inside];
}

interface Shape {
  readonly properties?: Record<string, Shape>;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
}

/** @returns the keys that the schema knows at a place. */
function keysAt(path: readonly PropertyKey[]): string[] {
  const whole = z.toJSONSchema(nodeConfigSchema, { io: "input", unrepresentable: "any", reused: "inline" });
  const spread = (shape: Shape): Shape[] => [
    shape,
    ...[...(shape.anyOf ?? []), ...(shape.oneOf ?? [])].flatMap(spread),
  ];
  let shapes = spread(whole as Shape);
  for (const key of path)
    shapes = shapes
      .flatMap((shape) =>
        typeof key === "number" ? (shape.items ?? []) : (shape.properties?.[String(key)] ?? []),
      )
      .flatMap(spread);
  return [...new Set(shapes.flatMap((shape) => Object.keys(shape.properties ?? {})))];
}

/** @returns the names nearest to what was written, by shared pairs of letters. */
function alike(name: string, names: readonly string[]): string[] {
  const pairs = (text: string) => new Set(Array.from(text.slice(1), (letter, i) => text[i]! + letter));
  const own = pairs(name);
  const share = (other: string): number => {
    const its = pairs(other);
    return (2 * [...own].filter((pair) => its.has(pair)).length) / (own.size + its.size);
  };
  return [...names].sort((a, b) => share(b) - share(a)).slice(0, 3);
}
