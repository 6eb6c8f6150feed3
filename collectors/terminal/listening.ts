import { z } from "zod";
import { duration } from "../runtime/fields.ts";

/** Keys of every protocol whose devices dial a port of ours. */
export const listening = {
  name: z.string().optional().describe("shown on the page; the protocol and port when absent"),
  listen: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, "write HOST:PORT, as 0.0.0.0:7611")
    .transform((text) => {
      const at = text.lastIndexOf(":");
      return { host: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
    })
    .refine(({ port }) => port >= 1 && port <= 65_535, "a TCP port is 1 to 65535")
    .describe("HOST:PORT that terminals dial, as 0.0.0.0:7611"),
  silence: duration.default(300_000).describe("a connection without a sign of life for so long is closed"),
  clockTolerance: duration
    .default(300_000)
    .describe("a terminal's clock may be ahead, or step back, by so much before it is doubted"),
  oldest: duration.default(30 * 24 * 3_600_000).describe("a live report older than this has a wrong clock"),
  maxConnections: z.int().min(1).default(20_000).describe("terminals connected at a time; more are refused"),
};
