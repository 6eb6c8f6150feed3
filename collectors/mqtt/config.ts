import { z } from "zod";
import { filePath } from "../../core/paths.ts";
import { zoneOffset } from "../file/time.ts";
import { deviceId, duration, metricId, secret, ucum } from "../runtime/fields.ts";
import { sparkplugConfig } from "../sparkplug/config.ts";

const path = z.string().min(1).describe("where in the payload: temp.celsius, channels[2].value");
const epoch = z
  .enum(["iso", "s", "ms", "us", "ns"])
  .describe("ISO 8601 text, or seconds/milliseconds/microseconds/nanoseconds since 1970");
const zone = z
  .string()
  .refine((name) => zoneOffset(name) !== undefined, "no such time zone: write Asia/Shanghai, or +08:00")
  .optional()
  .describe("of times that name none; where it is absent too, they are taken as UTC and marked uncertain");
const kind = z.enum(["number", "boolean", "text"]).default("number").describe("what the value is read as");

const position = z.strictObject({
  lat: path,
  lon: path,
  datum: z.enum(["WGS-84", "GCJ-02"]).describe("what the coordinates refer to"),
  source: z.enum(["beidou", "gps", "uwb"]).describe("what measured them"),
  accuracyMetres: z.number().positive().describe("of one position, metres"),
});

export const jsonFormat = z.strictObject({
  format: z.literal("json").describe("values by their path in a JSON text"),
  deviceAt: path
    .optional()
    .describe("the device's id in a record, where one source tells of several devices"),
  records: path.optional().describe("an array of records in one message; the message itself when absent"),
  time: z.strictObject({ path, as: epoch, zone }).optional().describe("source time; the arrival when absent"),
  sequence: path
    .optional()
    .describe(
      "the source's own number of a receipt, an order or a message: the same number at the same time is the same event",
    ),
  position: position.optional().describe("where the device is"),
  fields: z
    .array(z.strictObject({ path, metric: metricId, unit: ucum }))
    .min(1)
    .describe("what is taken from a record"),
});

export const csvFormat = z.strictObject({
  format: z.literal("csv").describe("values by their column"),
  delimiter: z.string().length(1).default(",").describe("between two columns"),
  columns: z
    .array(
      z.union(
        [
          z.strictObject({ metric: metricId, unit: ucum, kind }),
          z.strictObject({ time: epoch.describe("source time: ISO 8601 text, or since 1970"), zone }),
          z.strictObject({ sequence: z.literal(true).describe("the source's own number of the record") }),
          z.literal("skip"),
        ],
        { error: "write { metric, unit }, { time: iso }, { sequence: true } or skip" },
      ),
    )
    .min(1)
    .describe("what each column holds, left to right; every line is one record"),
});

const textFormat = z.strictObject({
  format: z.literal("text").describe("one value a message; the topic names the metric"),
  kind,
  units: z.record(metricId, ucum).describe("UCUM code per metric the topic may name"),
});

const topicField = {
  topic: z
    .string()
    .regex(/^[^#]+(\/#)?$|^#$/, "# stands alone at the end")
    .describe("levels are literal, + (any), {device} or {metric}; # takes the rest"),
  device: deviceId.optional().describe("where the topic has no {device}"),
};

const topic = z
  .discriminatedUnion("format", [
    z.strictObject({ ...topicField, ...jsonFormat.shape }),
    z.strictObject({ ...topicField, ...csvFormat.shape }),
    z.strictObject({ ...topicField, ...textFormat.shape }),
  ])
  .superRefine((t, context) => {
    const levels = t.topic.split("/");
    const elsewhere = t.device !== undefined || (t.format === "json" && t.deviceAt !== undefined);
    if (levels.includes("{device}") === elsewhere)
      context.addIssue({
        code: "custom",
        path: ["device"],
        message: "name the device here, as {device} or by deviceAt",
      });
    if (levels.includes("{metric}") !== (t.format === "text"))
      context.addIssue({ code: "custom", path: ["topic"], message: "{metric} goes with format text" });
  });

export const mqttConfig = z
  .strictObject({
    name: z.string().optional().describe("shown on the page; the URL when absent"),
    url: z
      .string()
      .regex(/^mqtts?:\/\/[^@/]+$/, "write mqtts://host:8883, without user or password")
      .describe("mqtts://host:8883, or mqtt:// without TLS"),
    protocol: z.enum(["3.1.1", "5"]).default("5").describe("MQTT version"),
    clientId: z.string().min(1).describe("unique at the broker and always the same: it names the session"),
    identity: z
      .union(
        [
          z.literal("anonymous"),
          z.strictObject({ user: z.string().describe("name"), password: secret.describe("where it stands") }),
        ],
        {
          error: "write anonymous, or { user, password: { file } }",
        },
      )
      .describe("who logs in"),
    plainPassword: z
      .literal("accepted")
      .optional()
      .describe("says that a password without TLS is known and accepted"),
    tls: z
      .strictObject({
        ca: filePath("PEM file of the broker's CA; the system's when absent").optional(),
        certificate: filePath("PEM file of the client's certificate").optional(),
        key: filePath("PEM file of the client's key").optional(),
      })
      .optional()
      .describe("certificates, where the system's do not do"),
    share: z
      .string()
      .regex(/^[^/+#]+$/)
      .optional()
      .describe("group of a shared subscription: its members divide the messages among them"),
    sessionExpiry: duration.default(7 * 24 * 3_600_000).describe("how long the broker keeps what we missed"),
    keepAlive: duration.default(30_000).describe("longest silence before the line is tested"),
    timeout: duration.default(10_000).describe("longest wait for a connection"),
    inFlight: z.int().min(1).max(65_535).default(10_000).describe("messages taken but not yet acknowledged"),
    topics: z.array(topic).default([]).describe("what is subscribed to"),
    sparkplug: sparkplugConfig.optional().describe("Sparkplug B, beside topics or instead of them"),
  })
  .superRefine((config, context) => {
    const problem = (field: string, message: string) =>
      context.addIssue({ code: "custom", path: [field], message });
    const plain = config.url.startsWith("mqtt:");
    if (plain && config.tls !== undefined) problem("tls", "goes with mqtts://");
    if (plain && config.identity !== "anonymous" && config.plainPassword === undefined)
      problem(
        "identity",
        "the password would travel in the clear: use mqtts://, or set plainPassword: accepted",
      );
    if ((config.tls?.certificate === undefined) !== (config.tls?.key === undefined))
      problem("tls", "certificate and key go together");
    if (config.topics.length === 0 && config.sparkplug === undefined) problem("topics", "nothing to collect");
  });

export type MqttConfig = z.output<typeof mqttConfig>;
export type Topic = MqttConfig["topics"][number];
