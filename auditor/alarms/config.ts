import { z } from "zod";
import { filePath } from "../../core/paths.ts";

/** What the auditor writes in alarms.yaml. Paths are relative to the file. */
export const alarmsSchema = z.strictObject({
  webhook: z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }).describe("each alarm is posted to it as JSON"),
      secret: filePath(
        "file with a secret: the body's HMAC-SHA256 then goes along, in the header x-fedcredit-signature",
      ).optional(),
    })
    .optional()
    .describe("a receiver over HTTP"),
  mail: z
    .strictObject({
      server: z
        .url({ protocol: /^smtps?$/ })
        .describe("smtp://host:port, or smtps:// where the connection begins with TLS"),
      user: z.string().min(1).optional().describe("who signs in at the mail server, over TLS only"),
      password: filePath("file with the user's password").optional(),
      from: z.email().describe("sender of the mails"),
      to: z.array(z.email()).min(1).describe("who gets them"),
    })
    .optional()
    .describe("receivers by mail"),
  stallSeconds: z
    .int()
    .min(1)
    .default(86_400)
    .describe("an alarm is raised when the log has not grown, or its bank was not reached, for so long"),
  thresholds: z
    .strictObject({
      cohort: z
        .int()
        .min(2)
        .optional()
        .describe(
          "an alarm for a study's first sum of fewer enterprises, and for each later one that is smaller still",
        ),
      endedShare: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe("an alarm when more of the last 20 attempts came to no sum"),
      noise: z
        .literal("required")
        .optional()
        .describe("an alarm when a study is proposed whose sums carry no noise"),
    })
    .default({})
    .describe("what is told beyond forks, standstills, expelled members, complaints and split cohorts"),
});
export type Alarms = z.infer<typeof alarmsSchema>;
