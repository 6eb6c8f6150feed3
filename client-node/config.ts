import { dirname, resolve } from "node:path";
import { z } from "zod";
import { collectorEntries } from "../collectors/config.ts";
import { duration } from "../collectors/runtime/fields.ts";
import { addressSchema } from "../core/address.ts";
import { idSchema } from "../core/ids.ts";
import { Refusal } from "../core/reasons.ts";
import { readYaml } from "../core/yaml.ts";
import { premisesSchema } from "./operations/sites.ts";

const column = z.string().min(1);
const featureRows = z.strictObject({
  ledger: z.array(z.string().min(1)).min(1).describe("CSV or Parquet: the repayment ledger, one row a loan"),
  site: column.optional().describe("column that names the borrower's site; needed where there are several"),
  date: column.describe("column of the row's date: only windows that had ended by then are used"),
  window: z.enum(["day", "week", "month"]).describe("length of the windows"),
});

/** node.yaml. Paths are relative to the file's own folder. */
export const nodeConfigSchema = z.strictObject({
  enterprise: idSchema.describe("this enterprise's id in the consortium"),
  consortium: idSchema.describe("id of the consortium; enrolment into any other is refused"),
  coordinator: addressSchema.describe("host:port of the bank's coordinator (mutual TLS)"),
  enrolment: addressSchema.describe("host:port of the bank's enrolment service, needed once"),
  dataDir: z
    .string()
    .min(1)
    .describe("folder for keys, pins and the egress ledger; readable by this user only"),
  rows: z
    .strictObject({
      files: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe(
          "CSV (.csv, .csv.gz) or Parquet files with one header and one row a loan, read as one table",
        ),
      features: featureRows.optional().describe("each loan with what its site's devices showed before"),
    })
    .refine(
      ({ files, features }) => (files === undefined) !== (features === undefined),
      "give files, or features",
    )
    .optional()
    .describe("where training rows come from"),
  premises: premisesSchema.optional().describe("sites, devices and what is known of them"),
  collectors: collectorEntries.optional().describe("what is read, and how; needs premises"),
  storage: z
    .strictObject({
      spoolGigabytes: z.number().positive().default(4).describe("readings not yet in segments, 10⁹ bytes"),
      keepDays: z.number().positive().default(400).describe("segments older than this are removed, days"),
    })
    .optional(),
  refresh: z
    .strictObject({
      every: duration.default(3_600_000).describe("how often quality and features are computed anew"),
      days: z.number().positive().max(3660).default(90).describe("how far back, days"),
    })
    .optional(),
  page: addressSchema
    .optional()
    .describe("host:port of the enterprise's page; anything but this machine itself needs node password"),
});

export type NodeConfig = z.infer<typeof nodeConfigSchema>;
export type FeatureRowsConfig = z.infer<typeof featureRows>;

/**
 * @returns the node's configuration, with absolute paths.
 * @throws Refusal file_missing, file_malformed (YAML), config_invalid naming the field.
 */
export function readNodeConfig(file: string): NodeConfig {
  const config = readYaml(file, nodeConfigSchema);
  const here = dirname(resolve(file));
  const { rows } = config;
  const inFolder = (path: string): string => resolve(here, path);
  if (config.collectors !== undefined && config.premises === undefined)
    throw new Refusal("config_invalid", `${file}: collectors without premises`, {
      hint: "name at least one site under premises.sites",
    });
  return {
    ...config,
    dataDir: inFolder(config.dataDir),
    ...(rows === undefined
      ? {}
      : {
          rows: {
            ...(rows.files === undefined ? {} : { files: rows.files.map(inFolder) }),
            ...(rows.features === undefined
              ? {}
              : { features: { ...rows.features, ledger: rows.features.ledger.map(inFolder) } }),
          },
        }),
    ...(config.collectors === undefined ? {} : { collectors: pathsIn(config.collectors, inFolder) }),
  };
}

/** Keys under which collectors name files and folders. */
const pathKeys = new Set(["folder", "state", "file", "pki", "ca", "certificate", "key"]);

/** @returns the same value, each path in it resolved. */
function pathsIn<T>(value: T, resolved: (path: string) => string): T {
  if (Array.isArray(value)) return value.map((one) => pathsIn(one, resolved)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      typeof one === "string" && pathKeys.has(key) ? resolved(one) : pathsIn(one, resolved),
    ]),
  ) as T;
}
