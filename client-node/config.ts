import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse as parseYaml, YAMLParseError } from "yaml";
import { z } from "zod";
import { Refusal } from "../proto/reasons.ts";
import { readRefusal } from "./files.ts";

const partyName = z
  .string()
  .regex(/^[a-z0-9-]+$/, "lowercase letters, digits and hyphens")
  .max(63);
const endpoint = z
  .string()
  .regex(/^(\[[0-9a-f:]+\]|[^:\s/]+):[0-9]{1,5}$/i, "host:port")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535, "the port is at most 65535");

/** node.yaml. Paths are relative to the file's own folder. */
export const nodeConfigSchema = z.strictObject({
  enterprise: partyName.describe("this enterprise's id in the consortium"),
  consortium: partyName.describe("id of the consortium; enrolment into any other is refused"),
  coordinator: endpoint.describe("host:port of the bank's coordinator (mutual TLS)"),
  enrolment: endpoint.describe("host:port of the bank's enrolment service, needed once"),
  dataDir: z
    .string()
    .min(1)
    .describe("folder for keys, pins and the egress ledger; readable by this user only"),
  rows: z
    .strictObject({
      files: z
        .array(z.string().min(1))
        .min(1)
        .describe(
          "CSV (.csv, .csv.gz) or Parquet files with one header and one row a loan, read as one table",
        ),
    })
    .optional()
    .describe("where training rows come from"),
});

export type NodeConfig = z.infer<typeof nodeConfigSchema>;

/**
 * @returns the node's configuration, with absolute paths.
 * @throws Refusal file_missing, file_malformed (YAML), config_invalid naming the field.
 */
export function readNodeConfig(file: string): NodeConfig {
  const config = readYaml(file, nodeConfigSchema);
  const here = dirname(resolve(file));
  return {
    ...config,
    dataDir: resolve(here, config.dataDir),
    ...(config.rows === undefined
      ? {}
      : { rows: { files: config.rows.files.map((path) => resolve(here, path)) } }),
  };
}

/** Reads one YAML file by a strict schema. @throws Refusal file_missing, file_malformed, config_invalid */
export function readYaml<Schema extends z.ZodType>(file: string, schema: Schema): z.infer<Schema> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw readRefusal(file, error);
  }
  return parseConfig(text, file, schema);
}

/** @param source - for messages: the file's name. @throws Refusal file_malformed, config_invalid */
export function parseConfig<Schema extends z.ZodType>(
  text: string,
  source: string,
  schema: Schema,
): z.infer<Schema> {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    throw new Refusal("file_malformed", `${source}${line === undefined ? "" : `:${line}`}: not YAML`, {
      cause: error,
    });
  }
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map((key) => (path === "" ? key : `${path}.${key}`));
    throw new Refusal("config_invalid", `${source}: unknown key ${keys.join(", ")}`, {
      hint: "remove it or correct its spelling",
    });
  }
  throw new Refusal("config_invalid", `${source}: ${path === "" ? "" : `${path}: `}${issue.message}`);
}
