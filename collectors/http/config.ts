import { z } from "zod";
import { filePath } from "../../core/paths.ts";
import { csvFormat, jsonFormat } from "../mqtt/config.ts";
import { deviceId, duration, secret } from "../runtime/fields.ts";

const headerName = z.string().regex(/^[A-Za-z0-9-]+$/, "a header's name is letters, digits and -");

const poll = {
  name: z.string().optional().describe("shown on the page; the URL without its query when absent"),
  poll: z
    .url({ protocol: /^https?$/, error: "write https://host/path, without user or password" })
    .refine((text) => new URL(text).username === "", "name the user under identity")
    .describe("what is asked for, again and again"),
  device: deviceId.optional().describe("where the answer tells of one device"),
  identity: z
    .union(
      [
        z.literal("anonymous"),
        z.strictObject({ bearer: secret.describe("where the token stands") }),
        z.strictObject({ user: z.string().describe("name"), password: secret.describe("where it stands") }),
        z.strictObject({
          header: headerName.describe("its name"),
          value: secret.describe("where it stands"),
        }),
      ],
      { error: "write anonymous, { bearer }, { user, password } or { header, value }" },
    )
    .describe("who asks"),
  plainPassword: z
    .literal("accepted")
    .optional()
    .describe("says that a secret without TLS is known and accepted"),
  ca: filePath("PEM file of the server's CA; the system's when absent").optional(),
  headers: z
    .record(headerName, z.string())
    .default({})
    .describe("sent with each request; no secret stands here"),
  next: z
    .union([z.literal("link"), z.strictObject({ path: z.string().min(1).describe("where in the answer") })], {
      error: "write link, or { path: PATH }",
    })
    .optional()
    .describe("the next page's address: in the header Link, or in the answer; only ever of the same host"),
  since: z
    .strictObject({
      parameter: z.string().min(1).describe("of the URL's query"),
      as: z.enum(["iso", "s", "ms"]).default("iso").describe("how the time is written"),
      overlap: duration.default(15 * 60_000).describe("asked for again each time, for what comes late"),
      lookback: duration.default(24 * 3_600_000).describe("asked for at the start"),
    })
    .optional()
    .describe("asks only for records after the newest one; needs time"),
  every: duration.default(10_000).describe("how often it is asked for"),
  timeout: duration.default(30_000).describe("longest wait for a whole answer"),
  mostBytes: z.int().min(1).default(16_777_216).describe("an answer that is longer is refused, bytes"),
  mostPages: z.int().min(1).default(1_000).describe("pages of one round at most"),
};

const listen = {
  name: z.string().optional().describe("shown on the page; the address when absent"),
  listen: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, "write HOST:PORT, as 0.0.0.0:8443")
    .transform((text) => {
      const at = text.lastIndexOf(":");
      return { host: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
    })
    .refine(({ port }) => port >= 1 && port <= 65_535, "a TCP port is 1 to 65535")
    .describe("HOST:PORT that senders post to"),
  path: z.string().regex(/^\//, "begins with /").default("/").describe("of the URL that is posted to"),
  tls: z
    .union([
      z.literal("none"),
      z.strictObject({
        certificate: filePath("PEM file of this node's certificate"),
        key: filePath("PEM file of its key"),
      }),
    ])
    .describe("none: tokens travel in the clear; behind a proxy of your own, or on this machine, only"),
  senders: z
    .array(
      z.strictObject({
        token: secret.describe("where the sender's bearer token stands"),
        device: deviceId.optional().describe("whose values it sends"),
        devices: z
          .array(deviceId)
          .min(1)
          .optional()
          .describe("the devices that a gateway may speak for, with deviceAt"),
      }),
    )
    .min(1)
    .describe("who may post; each speaks for its own devices and for no other"),
  mostBytes: z.int().min(1).default(1_048_576).describe("a body that is longer is refused, bytes"),
  mostConnections: z.int().min(1).default(1_000).describe("connections at a time; more are refused"),
  timeout: duration.default(30_000).describe("longest wait for a whole request, and for the store"),
  silence: duration
    .default(300_000)
    .describe("nobody was heard of for so long: the source is shown as waiting"),
};

type Given = { readonly format: "json" | "csv"; readonly deviceAt?: string | undefined };
const issue = (context: z.RefinementCtx, path: string, message: string) =>
  context.addIssue({ code: "custom", path: [path], message });
const deviceAtOf = (c: Given) => (c.format === "json" ? c.deviceAt : undefined);

const polled = z
  .discriminatedUnion("format", [
    z.strictObject({ ...poll, ...jsonFormat.shape }),
    z.strictObject({ ...poll, ...csvFormat.shape }),
  ])
  .superRefine((c, context) => {
    const plain = c.poll.startsWith("http:");
    if (plain && c.identity !== "anonymous" && c.plainPassword === undefined)
      issue(
        context,
        "identity",
        "the secret would travel in the clear: use https://, or set plainPassword: accepted",
      );
    if (plain && c.ca !== undefined) issue(context, "ca", "goes with https://");
    if ((c.device === undefined) === (deviceAtOf(c) === undefined))
      issue(context, "device", "name the device here, or by deviceAt");
    if (c.format === "csv" && typeof c.next === "object") issue(context, "next", "a path needs format json");
    if (c.since !== undefined && c.format === "json" && c.time === undefined)
      issue(context, "since", "needs time");
  });

const received = z
  .discriminatedUnion("format", [
    z.strictObject({ ...listen, ...jsonFormat.shape }),
    z.strictObject({ ...listen, ...csvFormat.shape }),
  ])
  .superRefine((c, context) => {
    for (const { device, devices } of c.senders)
      if (
        (device === undefined) === (devices === undefined) ||
        (device === undefined) !== (deviceAtOf(c) !== undefined)
      )
        issue(context, "senders", "each has device; with deviceAt, each has devices");
  });

/** An address that is asked for values, or one that values are posted to. */
export const httpConfig = z.union([polled, received], {
  error: "write poll: URL, or listen: HOST:PORT; with format json or csv",
});

export type HttpConfig = z.output<typeof httpConfig>;
export type PollConfig = z.output<typeof polled>;
export type ListenConfig = z.output<typeof received>;
