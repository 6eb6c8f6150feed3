import { z } from "zod";
import { filePath } from "../../core/paths.ts";
import { deviceId, duration, metricId, secret, ucum } from "../runtime/fields.ts";

const node = z.strictObject({
  node: z
    .string()
    .regex(/^((ns=\d+|nsu=[^;]+);)?[isgb]=.+$/, "write ns=2;s=Name, or nsu=http://…;s=Name")
    .describe("node id; nsu= names the namespace by URI, which survives a server's renumbering"),
  metric: metricId,
  unit: ucum,
});

const deadband = z
  .union(
    [
      z.strictObject({ absolute: z.number().positive().describe("in the node's own unit") }),
      z.strictObject({ percent: z.number().positive().max(100).describe("of the node's EURange") }),
    ],
    { error: "write { absolute: 0.1 } or { percent: 1 }" },
  )
  .describe("smaller changes are not reported");

const group = z.strictObject({
  device: deviceId,
  sampling: duration.or(z.literal("on change")).default("on change").describe("how often the server looks"),
  queue: z.int().min(1).default(1_000).describe("values the server keeps per node between two publications"),
  deadband: deadband.optional(),
  nodes: z.array(node).min(1),
});

const security = z.union(
  [
    z.literal("none"),
    z.strictObject({
      mode: z.enum(["Sign", "SignAndEncrypt"]),
      policy: z.enum(["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]),
      pki: filePath(
        "folder with own/ (made when absent), trusted/certs and issuers/certs: the server's certificate must be there",
      ),
    }),
  ],
  { error: "write none, or { mode: SignAndEncrypt, policy: Basic256Sha256, pki: FOLDER }" },
);

const identity = z.union(
  [
    z.literal("anonymous"),
    z.strictObject({ user: z.string(), password: secret }),
    z.strictObject({ certificate: filePath("PEM file"), key: filePath("PEM file") }),
  ],
  { error: "write anonymous, { user, password: { file } } or { certificate, key }" },
);

export const opcuaConfig = z
  .strictObject({
    name: z.string().optional().describe("shown on the page; the endpoint when absent"),
    endpoint: z.string().regex(/^opc\.tcp:\/\/[^/]+/, "write opc.tcp://host:4840"),
    security,
    identity,
    publishing: duration.default(1_000).describe("how often the server publishes"),
    keepAlive: duration.default(5_000).describe("longest silence of a server with nothing to publish"),
    timeout: duration.default(10_000).describe("longest wait for a connection and for an answer"),
    history: z.boolean().default(false).describe("read the server's history to fill an outage"),
    groups: z.array(group).min(1),
  })
  .superRefine((config, context) => {
    if (config.security === "none" && config.identity !== "anonymous")
      context.addIssue({
        code: "custom",
        path: ["identity"],
        message: "a user's credentials would travel in the clear: set `security`",
      });
    if (config.keepAlive < config.publishing)
      context.addIssue({ code: "custom", path: ["keepAlive"], message: "is shorter than `publishing`" });
  });

export type OpcuaConfig = z.output<typeof opcuaConfig>;
/** As users write it. */
export type OpcuaInput = z.input<typeof opcuaConfig>;
