import { readFileSync } from "node:fs";
import { isNode, LineCounter, parseDocument } from "yaml";
import { readRefusal } from "../../core/files.ts";
import { keysAt, nearest } from "../../core/keys.ts";
import { Refusal } from "../../core/reasons.ts";
import { plainOf } from "../../core/yaml.ts";
import { nodeConfigSchema } from "../config.ts";
import type { Catalogue } from "../operations/features/catalogue.ts";
import { metricSchema } from "../operations/features/metric.ts";
import { conversion, isUcum } from "../operations/features/units.ts";
import { readProfiles } from "../operations/warnings/profiles.ts";
import { type Repeated, writtenOut } from "../repeat.ts";

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
  let repeated: Repeated;
  try {
    repeated = writtenOut(plainOf(document, file), file);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ line: 1, path: "", message: error.message, valid: [error.hint] }];
  }
  const { origin, value } = repeated;
  const parsed = nodeConfigSchema.safeParse(value);
  const found: Problem[] = [];
  const problem = (path: readonly PropertyKey[], message: string, valid?: readonly string[]): void => {
    const written = origin(path);
    found.push({
      line: lineOf(written),
      path: written.join("."),
      message,
      ...(valid === undefined ? {} : { valid }),
    });
  };
  for (const issue of parsed.error?.issues ?? [])
    if (issue.code !== "unrecognized_keys") problem(issue.path, issue.message);
    else
      for (const key of issue.keys)
        problem([...issue.path, key], "unknown key", nearest(key, keysAt(nodeConfigSchema, issue.path)));
  const metrics = new Map(catalogue.metrics);
  for (const [name, own] of Object.entries((value as { metrics?: object }).metrics ?? {})) {
    const metric = metricSchema.safeParse(own);
    if (!metric.success) continue;
    metrics.set(name, metric.data);
    if (!isUcum(metric.data.unit))
      problem(["metrics", name, "unit"], `${metric.data.unit} is not a UCUM unit`, ["kW.h", "Cel", "1"]);
  }
  for (const { path, metric, unit } of metricsIn(value, [])) {
    const known = metrics.get(metric);
    if (known === undefined)
      problem(
        [...path, "metric"],
        `no metric ${metric} in the catalogue: it would be kept and used by nothing`,
        nearest(metric, [...metrics.keys()]).slice(0, 3),
      );
    else if (unit !== undefined && conversion(unit, known.unit) === undefined)
      problem([...path, "unit"], `${unit} is no UCUM unit of the kind of ${metric}`, [known.unit]);
  }
  if (parsed.success)
    try {
      readProfiles(parsed.data.thresholds);
    } catch (error) {
      problem(["thresholds"], (error as Error).message);
    }
  // What is wrong in an item that is repeated is wrong once.
  const once = new Map(found.map((one) => [`${one.path} ${one.message}`, one]));
  return [...once.values()].sort((x, y) => x.line - y.line);
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
