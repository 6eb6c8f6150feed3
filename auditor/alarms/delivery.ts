/** Alarms on their way to people: kept on disk until each receiver took them. */
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { z } from "zod";
import { canonicalJson } from "../../core/canonical.ts";
import { readRefusal, writeWhole } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Alarms } from "./config.ts";

const alarmSchema = z.strictObject({
  /** Unix milliseconds. */
  time: z.int().min(0),
  kind: z.enum(["fork", "failed", "stall", "breach", "recovered"]),
  text: z.string(),
  /** Index of the entry that it is about. */
  entry: z.int().min(0).optional(),
});
export type Alarm = z.infer<typeof alarmSchema>;

const receivers = ["webhook", "mail"] as const;
type Receiver = (typeof receivers)[number];

/** What a watch knows from look to look, over restarts. */
const progressSchema = z.strictObject({
  /** Entries of the log that were looked at. */
  examined: z.int().min(0),
  /** The log's size at the last look, and since when it is so, in Unix milliseconds. */
  growth: z.strictObject({ size: z.int().min(0), since: z.int().min(0), isStalled: z.boolean() }).optional(),
  /** Of the last attempts that ended: whether each came to a sum; and whether too many did not. */
  attempts: z.strictObject({ ends: z.array(z.boolean()), isAbove: z.boolean() }).optional(),
  cohorts: z
    .strictObject({
      /** Studies by digest: their names, and the smallest cohort that was told of each. */
      studies: z.record(z.string(), z.strictObject({ name: z.string(), told: z.int().optional() })),
      /** Studies of the attempts that are open, by round. */
      open: z.record(z.string(), z.string()),
    })
    .optional(),
  /** Why the log was not followed at the last look. */
  failed: z.string().optional(),
});
export type Progress = z.infer<typeof progressSchema>;

const stateSchema = progressSchema.extend({
  waiting: z.array(z.strictObject({ alarm: alarmSchema, to: z.array(z.enum(receivers)) })),
});
type State = z.infer<typeof stateSchema>;

const file = "alarms.json";
const timeout = 20_000;

export class Delivery {
  readonly #dir: string;
  readonly #alarms: Alarms;
  readonly #log: string;
  #state: State;

  private constructor(dir: string, alarms: Alarms, log: string, state: State) {
    this.#dir = dir;
    this.#alarms = alarms;
    this.#log = log;
    this.#state = state;
  }

  /**
   * @param dir - the auditor's directory: what is not delivered yet is kept there.
   * @param log - name of the log, for people.
   * @throws Refusal file_malformed
   */
  static async open(dir: string, alarms: Alarms, log: string): Promise<Delivery> {
    const path = join(dir, file);
    const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return undefined;
      throw readRefusal(path, cause);
    });
    if (text === undefined) return new Delivery(dir, alarms, log, { examined: 0, waiting: [] });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    const state = stateSchema.safeParse(value);
    if (!state.success)
      throw new Refusal("file_malformed", `${path} is damaged`, {
        hint: "restore it; without it the log's entries are all looked at again",
      });
    return new Delivery(dir, alarms, log, state.data);
  }

  get progress(): Progress {
    const { waiting: _, ...progress } = this.#state;
    return progress;
  }

  get isWaiting(): boolean {
    return this.#state.waiting.length > 0;
  }

  /** Keeps alarms, and how far the watch is, in one write: none is raised twice, none is lost. */
  async raise(alarms: readonly Alarm[], progress: Progress): Promise<void> {
    if (alarms.length === 0 && canonicalJson(progress) === canonicalJson(this.progress)) return;
    const to = receivers.filter((receiver) => this.#alarms[receiver] !== undefined);
    const waiting = [
      ...this.#state.waiting,
      ...(to.length === 0 ? [] : alarms.map((alarm) => ({ alarm, to: [...to] }))),
    ];
    await this.#keep({ ...progress, waiting });
  }

  /**
   * Hands over what waits, in its order: to the webhook each alarm, by mail all that wait in one.
   * @returns what could not be delivered, in words; it is tried again.
   */
  async deliver(): Promise<string[]> {
    const failures: string[] = [];
    for (const receiver of receivers)
      try {
        const waiting = this.#state.waiting
          .filter(({ to }) => to.includes(receiver))
          .map(({ alarm }) => alarm);
        const parcels = receiver === "mail" && waiting.length > 0 ? [waiting] : waiting.map((one) => [one]);
        for (const alarms of parcels) {
          await this.#hand(alarms, receiver);
          await this.#taken(alarms, receiver);
        }
      } catch (error) {
        // One that does not answer is asked once a look, and its alarms keep their order.
        failures.push(`${receiver}: ${(error as Error).message}`);
      }
    return failures;
  }

  async #taken(alarms: readonly Alarm[], receiver: Receiver): Promise<void> {
    const waiting = this.#state.waiting
      .map((one) =>
        alarms.includes(one.alarm) ? { ...one, to: one.to.filter((left) => left !== receiver) } : one,
      )
      .filter((one) => one.to.length > 0);
    await this.#keep({ ...this.#state, waiting });
  }

  async #keep(state: State): Promise<void> {
    await writeWhole(join(this.#dir, file), `${JSON.stringify(state)}\n`);
    this.#state = state;
  }

  async #hand(alarms: readonly Alarm[], receiver: Receiver): Promise<void> {
    const { webhook, mail } = this.#alarms;
    if (receiver === "webhook" && webhook !== undefined) {
      const body = JSON.stringify({ log: this.#log, ...alarms[0] });
      const secret = webhook.secret === undefined ? undefined : await secretIn(webhook.secret);
      const response = await fetch(webhook.url, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          ...(secret === undefined
            ? {}
            : { "x-fedcredit-signature": createHmac("sha256", secret).update(body).digest("hex") }),
        },
        redirect: "error",
        signal: AbortSignal.timeout(timeout),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`${webhook.url} answers ${response.status}`);
    }
    if (receiver === "mail" && mail !== undefined) {
      const { hostname, port, protocol } = new URL(mail.server);
      const secure = protocol === "smtps:";
      const transport = createTransport({
        host: hostname.replace(/^\[|\]$/g, ""),
        port: port === "" ? (secure ? 465 : 587) : Number(port),
        secure,
        ...(mail.user === undefined || mail.password === undefined
          ? {}
          : { requireTLS: true, auth: { user: mail.user, pass: await secretIn(mail.password) } }),
        connectionTimeout: timeout,
        socketTimeout: timeout,
      });
      try {
        await transport.sendMail({
          from: mail.from,
          to: [...mail.to],
          subject: `FedCredit log ${this.#log}: ${[...new Set(alarms.map(({ kind }) => kind))].join(", ")}`,
          text: alarms
            .map(
              ({ time, text, entry }) =>
                `${new Date(time).toISOString()}\n${text}${entry === undefined ? "" : `\nentry ${entry}`}\n`,
            )
            .join("\n"),
        });
      } finally {
        transport.close();
      }
    }
  }
}

const secretIn = async (path: string): Promise<string> =>
  (
    await readFile(path, "utf8").catch((cause: unknown) => {
      throw readRefusal(path, cause);
    })
  ).trim();
