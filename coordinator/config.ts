import { dirname, resolve } from "node:path";
import { z } from "zod";
import { addressSchema, isLoopback } from "../core/address.ts";
import { idSchema } from "../core/ids.ts";
import { monitorSchema } from "../core/monitor.ts";
import { filePath } from "../core/paths.ts";
import { parseYaml, readYaml } from "../core/yaml.ts";
import { warningTermsSchema } from "../privacy/warnings/terms.ts";

const claimValues = (role: string) =>
  z.array(z.string().min(1)).default([]).describe(`values of roleClaim that make somebody ${role}`);

const oidcSchema = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/ })
    .refine(
      (url) => url.startsWith("https:") || isLoopback(new URL(url).hostname),
      "plain http only on this machine",
    )
    .describe("the provider's issuer, as its discovery document names it"),
  clientId: z.string().min(1).describe("the console's name at the provider"),
  clientSecretFile: filePath(
    "file with the console's secret at the provider; a public client, by PKCE alone, without it",
  ).optional(),
  address: z
    .url({ protocol: /^https?$/ })
    .describe(
      "by which browsers reach the console; the provider has to know this address followed by /sign-in/done as where it may send people back to",
    ),
  userClaim: z
    .string()
    .min(1)
    .describe(
      "claim of the ID token with a person's name: one that the provider gives to nobody else and that people cannot change; lowercase letters, digits and hyphens",
    ),
  roleClaim: z.string().min(1).describe("claim with a text or a list of texts that says what somebody may"),
  roles: z
    .strictObject({
      operator: claimValues("operator"),
      officer: claimValues("credit officer"),
      auditor: claimValues("auditor"),
    })
    .describe(
      "which values of roleClaim give which role; of several the one that may most, of none no entry",
    ),
});

export type OidcConfig = z.infer<typeof oidcSchema>;

const consoleSchema = z.strictObject({
  listen: addressSchema.describe("host:port of the pages; port 0 takes a free one"),
  tls: z
    .enum(["coordinator", "proxy"])
    .describe(
      "coordinator serves HTTPS with the coordinator's own certificate, which browsers trust once they know the consortium's authority; proxy serves plain HTTP, for a TLS proxy in front of it: without one, browsers keep no session except on this machine itself",
    ),
  names: z
    .array(z.string().regex(/^[A-Za-z0-9.:-]+$/, "a host name or an IP address"))
    .default([])
    .describe("host names and IP addresses that people open it by, for the coordinator's certificate"),
  oidc: oidcSchema
    .optional()
    .describe(
      "the bank's OpenID Connect provider, where people sign in then; with passwords and one-time codes of the console's own without it",
    ),
});

export type ConsoleConfig = z.infer<typeof consoleSchema>;

const index = z.number().positive().max(100);

/** What the bank writes in coordinator.yaml. Paths are relative to the file. */
export const configSchema = z.strictObject({
  consortium: idSchema.describe("the consortium's name"),
  listen: addressSchema.describe(
    "host:port where enterprises, operator and auditor connect, with certificates both ways; port 0 takes a free one",
  ),
  address: addressSchema
    .optional()
    .describe(
      "host:port by which operators reach `listen` where that is another one: behind a proxy or a forwarded port, or from another machine; TLS has to pass through unopened, whatever the host's name",
    ),
  enrolment: addressSchema.describe(
    "host:port where a node without a certificate enrols, with the server's certificate only; port 0 takes a free one",
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
      quorum: z
        .int()
        .min(0)
        .describe("cosignatures a checkpoint needs to be exported; until one has them, an export is refused"),
    })
    .describe("who has to have seen the log"),
  cases: z
    .string()
    .min(1)
    .optional()
    .describe(
      "cases.yaml: when a score or a warning becomes a case, and what is suggested about the limit; the reference's defaults without it",
    ),
  models: z
    .strictObject({
      approvals: z
        .int()
        .min(0)
        .max(20)
        .describe(
          "different people of the bank that have to approve a model before it becomes champion or challenger; a change of it is an entry of the log",
        )
        .default(0),
      stability: z
        .strictObject({
          watch: index.describe(
            "from here on a model's scores or a column have moved so far that they are watched",
          ),
          alarm: index.describe("from here on they raise an alarm: at least watch"),
        })
        .refine(({ watch, alarm }) => watch <= alarm, "alarm is below watch")
        .default({ watch: 0.1, alarm: 0.25 })
        .describe(
          "thresholds of the stability indices (PSI of scores, CSI of columns) of a study with drift",
        ),
    })
    .prefault({})
    .describe("how published models come into use, and when one has moved too far"),
  warnings: warningTermsSchema
    .optional()
    .describe(
      "what the bank asks of enterprises' warnings: an enterprise whose policy allows as much tells them, no other; none are asked for without it",
    ),
  console: consoleSchema
    .optional()
    .describe("the bank's pages, for users that fedcredit coordinator user adds; none without it"),
  monitor: monitorSchema
    .optional()
    .describe("where the bank's own monitoring reads /health and Prometheus' /metrics; none without it"),
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
  const { dataDir, blobs, keys, cases, ...rest } = config;
  return {
    ...rest,
    dataDir: resolve(base, dataDir),
    blobs: resolve(base, blobs),
    keys: resolve(base, keys),
    ...(cases === undefined ? {} : { cases: resolve(base, cases) }),
  };
}
