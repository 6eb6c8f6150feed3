import { dirname, resolve } from "node:path";
import { z } from "zod";
import { parseYaml, readYaml } from "../core/yaml.ts";

const address = z
  .string()
  .regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, "host:port")
  .refine((text) => splitAddress(text).port <= 65_535, "a port is at most 65535")
  .describe("host:port; port 0 takes a free one");

/** What the bank writes in coordinator.yaml. Paths are relative to the file. */
export const configSchema = z.strictObject({
  consortium: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lowercase letters, digits and hyphens")
    .describe("id of the consortium: lowercase letters, digits and hyphens"),
  listen: address.describe("where enterprises, operator and auditor connect, with certificates both ways"),
  enrolment: address.describe(
    "where a node without a certificate enrols, with the server's certificate only",
  ),
  database: z
    .string()
    .regex(/^(embedded|postgres(ql)?:\/\/.+)$/, "embedded, or postgres://…")
    .describe(
      "embedded runs a PostgreSQL of its own under dataDir, unless DATABASE_URL in the environment names a server",
    ),
  dataDir: z.string().min(1).describe("directory of the embedded database"),
  blobs: z.string().min(1).describe("directory of ciphertexts and model states, by digest"),
  keys: z
    .string()
    .min(1)
    .describe("directory of the certificate authority's, the server's and the bank's keys"),
  auditor: z.string().min(1).describe("the auditor's verifier key, name+id+base64"),
  witnesses: z
    .strictObject({
      quorum: z.int().min(0).describe("cosignatures a checkpoint needs before the log is exported up to it"),
    })
    .describe("who has to have seen the log"),
});

export type CoordinatorConfig = z.infer<typeof configSchema>;

/**
 * @param text - YAML.
 * @param file - its path: names the file in refusals; relative paths start at its directory.
 * @throws Refusal file_malformed, config_invalid with the path of the field.
 */
export function parseConfig(text: string, file: string): CoordinatorConfig {
  return absolutePaths(parseYaml(text, file, configSchema), file);
}

/** @throws Refusal file_missing, file_malformed, config_invalid */
export function readConfig(file: string): CoordinatorConfig {
  return absolutePaths(readYaml(file, configSchema), file);
}

function absolutePaths(config: CoordinatorConfig, file: string): CoordinatorConfig {
  const base = dirname(resolve(file));
  const { dataDir, blobs, keys, ...rest } = config;
  return { ...rest, dataDir: resolve(base, dataDir), blobs: resolve(base, blobs), keys: resolve(base, keys) };
}

/** @returns host and port of `host:port`; an IPv6 host without its brackets. */
export function splitAddress(hostPort: string): { host: string; port: number } {
  const at = hostPort.lastIndexOf(":");
  return { host: hostPort.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(hostPort.slice(at + 1)) };
}
