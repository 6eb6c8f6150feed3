import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { readRefusal } from "../proto/files.ts";
import { Refusal } from "../proto/reasons.ts";

const address = z
  .string()
  .regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, "host:port")
  .refine((text) => splitAddress(text).port <= 65_535, "a port is at most 65535")
  .describe("host:port; port 0 takes a free one");

/** What the bank writes in coordinator.yaml. Paths are relative to the file. */
export const configSchema = z.strictObject({
  consortium: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lowercase letters, digits and hyphens"),
  listen: address.describe("where enterprises, operator and auditor connect, with certificates both ways"),
  enrolment: address.describe(
    "where a node without a certificate enrols, with the server's certificate only",
  ),
  database: z
    .string()
    .regex(/^(embedded|postgres(ql)?:\/\/.+)$/, "embedded, or postgres://…")
    .describe("embedded runs a PostgreSQL of its own under dataDir"),
  dataDir: z.string().min(1).describe("directory of the embedded database"),
  blobs: z.string().min(1).describe("directory of ciphertexts and model states, by digest"),
  keys: z
    .string()
    .min(1)
    .describe("directory of the certificate authority's, the server's and the bank's keys"),
  auditor: z.string().min(1).describe("the auditor's verifier key, name+id+base64"),
  witnesses: z.strictObject({
    quorum: z.int().min(0).describe("cosignatures a checkpoint needs before a model is published under it"),
  }),
});

export type CoordinatorConfig = z.infer<typeof configSchema>;

/**
 * @param text - YAML.
 * @param file - its path: names the file in refusals; relative paths start at its directory.
 * @throws Refusal config_invalid with the path of the field, or the line of a syntax error.
 */
export function parseConfig(text: string, file: string): CoordinatorConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  const [syntax] = document.errors;
  if (syntax)
    throw new Refusal("config_invalid", `${file}:${lines.linePos(syntax.pos[0]).line}: ${syntax.code}`);
  const parsed = configSchema.safeParse(document.toJS());
  if (!parsed.success) throw invalid(parsed.error.issues[0]!, file);
  const base = dirname(resolve(file));
  const { dataDir, blobs, keys, ...rest } = parsed.data;
  return { ...rest, dataDir: resolve(base, dataDir), blobs: resolve(base, blobs), keys: resolve(base, keys) };
}

function invalid(issue: z.core.$ZodIssue, file: string): Refusal {
  const path = issue.path.join(".");
  if (issue.code !== "unrecognized_keys")
    return new Refusal("config_invalid", `${file}: ${path}: ${issue.message}`);
  const known = path === "" ? Object.keys(configSchema.shape) : [];
  const hint = known.length > 0 ? { hint: `known keys: ${known.join(", ")}` } : {};
  const key = [...issue.path, issue.keys[0]].join(".");
  return new Refusal("config_invalid", `${file}: ${key}: unknown key`, hint);
}

/** @throws Refusal file_missing, config_invalid */
export async function readConfig(file: string): Promise<CoordinatorConfig> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw readRefusal(file, cause);
  });
  return parseConfig(text, file);
}

/** @returns host and port of `host:port`; an IPv6 host without its brackets. */
export function splitAddress(hostPort: string): { host: string; port: number } {
  const at = hostPort.lastIndexOf(":");
  return { host: hostPort.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(hostPort.slice(at + 1)) };
}
