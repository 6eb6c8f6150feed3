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
  nodes: z.array(node).min(1).describe("what is subscribed to"),
});

const security = z.union(
  [
    z.literal("none"),
    z.strictObject({
      mode: z.enum(["Sign", "SignAndEncrypt"]).describe("whether messages are encrypted too"),
      policy: z
        .enum(["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"])
        .describe("one that the server offers"),
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
    z.strictObject({ user: z.string().describe("name"), password: secret.describe("where it stands") }),
    z.strictObject({
      certificate: filePath("PEM file of the user's certificate"),
      key: filePath("PEM file of its key"),
    }),
  ],
  { error: "write anonymous, { user, password: { file } } or { certificate, key }" },
);

const server = z.strictObject({
  name: z.string().optional().describe("shown on the page; the endpoint when absent"),
  endpoint: z
    .string()
    .regex(/^opc\.tcp:\/\/[^/]+/, "write opc.tcp://host:4840")
    .describe("opc.tcp://host:4840, with a path where the server has one"),
  security: security.describe("none, or how the channel is protected; certificates both ways"),
  identity: identity.describe("who logs in"),
  publishing: duration.default(1_000).describe("how often the server publishes"),
  keepAlive: duration.default(5_000).describe("longest silence of a server with nothing to publish"),
  timeout: duration.default(10_000).describe("longest wait for a connection and for an answer"),
});

export type OpcuaServer = z.output<typeof server>;

/** What holds between the fields of a server. */
function checkServer(config: OpcuaServer, context: z.RefinementCtx): void {
  if (config.security === "none" && config.identity !== "anonymous")
    context.addIssue({
      code: "custom",
      path: ["identity"],
      message: "a user's credentials would travel in the clear: set `security`",
    });
  if (config.keepAlive < config.publishing)
    context.addIssue({ code: "custom", path: ["keepAlive"], message: "is shorter than `publishing`" });
}

/** A server and how to reach it: enough to look around. */
export const opcuaServer = server.superRefine(checkServer);

export const opcuaConfig = server
  .extend({
    history: z.boolean().default(false).describe("read the server's history to fill an outage"),
    groups: z.array(group).min(1).describe("one device each"),
  })
  .superRefine(checkServer);

export type OpcuaConfig = z.output<typeof opcuaConfig>;
/** As users write it. */
export type OpcuaInput = z.input<typeof opcuaConfig>;
