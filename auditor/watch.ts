/** `fedcredit audit watch`: follows the bank's log, cosigns it, and raises alarms. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { toBase64 } from "../core/bytes.ts";
import { onEnding } from "../core/ending.ts";
import { secondsArgument } from "../core/number-argument.ts";
import { type Refusal, reasons } from "../core/reasons.ts";
import { print, tell } from "../core/terminal.ts";
import { readYaml } from "../core/yaml.ts";
import type { SeenTree } from "../privacy/log/witness.ts";
import { refusalOf } from "../proto/wire.ts";
import { Breaches } from "./alarms/breaches.ts";
import { type Alarms, alarmsSchema } from "./alarms/config.ts";
import { type Alarm, Delivery, type Progress } from "./alarms/delivery.ts";
import type { AuditorClient } from "./client.ts";
import {
  type Connection,
  connect,
  type Look,
  lookAt,
  pinnedBankKey,
  readSeen,
  remoteCommand,
} from "./connection.ts";

const dayMillis = 86_400_000;
/** Entries examined in one look: a first look at a long log must not keep the next cosignature waiting. */
const examinedAtOnce = 1000;

type Growth = NonNullable<Progress["growth"]>;

interface Flags extends Connection {
  readonly once?: true;
  readonly every: number;
  readonly alarms?: string;
}

export function watchCommand(): Command {
  return remoteCommand("watch", "follow the bank's log: check that it only grows, and cosign it")
    .option("--once", "look once, then end")
    .option("--every <seconds>", "between two looks", secondsArgument, 10)
    .option("--alarms <file>", "alarms.yaml: what raises an alarm, and whom to tell by webhook or mail")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit audit watch --dir auditor --coordinator 127.0.0.1:8443 --once",
    )
    .action(async (flags: Flags) => {
      const watchman = flags.alarms === undefined ? undefined : await Watchman.open(flags, flags.alarms);
      let client = await connect(flags);
      let connectedAt = Date.now();
      const ending = new AbortController();
      onEnding(() => ending.abort());
      try {
        let seen: SeenTree | undefined = await readSeen(flags.dir);
        do {
          // A watch of years outlives its certificate: connecting anew renews it.
          if (Date.now() - connectedAt > dayMillis) {
            client.close();
            client = await connect(flags);
            connectedAt = Date.now();
          }
          seen = await look(client, flags, seen, watchman, ending.signal);
          if (!flags.once)
            await delay(flags.every * 1000, undefined, { signal: ending.signal }).catch(() => {});
        } while (!flags.once && !ending.signal.aborted);
      } finally {
        client.close();
      }
    });
}

/**
 * One look. While watching, a bank that cannot be reached is looked at again; a fork ends the watch, once its alarm
 * was taken.
 */
async function look(
  client: AuditorClient,
  flags: Flags,
  seen: SeenTree | undefined,
  watchman: Watchman | undefined,
  ending: AbortSignal,
): Promise<SeenTree | undefined> {
  let now: Look;
  try {
    now = await lookAt(client, flags.dir);
  } catch (error) {
    const refusal = refusalOf(error);
    await watchman?.failed(refusal, Date.now());
    if (flags.once) throw refusal;
    if (!reasons[refusal.reason].retry) {
      await watchman?.handOver(flags.every * 1000, ending);
      throw refusal;
    }
    tell(`${refusal.reason}: ${refusal.message}`);
    return seen;
  }
  if (now.size !== seen?.size || flags.once)
    print(
      flags.json
        ? JSON.stringify({ size: now.size, root: toBase64(now.root) })
        : `cosigned ${now.size} entries`,
    );
  await watchman?.examine(client, now, Date.now());
  return now;
}

/** Raises alarms: says each, keeps it, and hands it over until it is taken. */
class Watchman {
  readonly #alarms: Alarms;
  readonly #delivery: Delivery;
  readonly #breaches: Breaches;

  private constructor(alarms: Alarms, delivery: Delivery) {
    this.#alarms = alarms;
    this.#delivery = delivery;
    this.#breaches = new Breaches(alarms.thresholds, delivery.progress);
  }

  static async open(flags: Flags, file: string): Promise<Watchman> {
    const alarms = readYaml(file, alarmsSchema);
    return new Watchman(alarms, await Delivery.open(flags.dir, alarms, (await pinnedBankKey(flags)).name));
  }

  /** Looks at what came to the log since the last look. */
  async examine(client: AuditorClient, now: Look, nowMillis: number): Promise<void> {
    const { examined, growth, failed } = this.#delivery.progress;
    const raised: Alarm[] = [];
    const recovered = (text: string): Alarm => ({ time: nowMillis, kind: "recovered", text });
    if (failed !== undefined) raised.push(recovered(`the log is followed again, after ${failed}`));
    const grew = now.size !== growth?.size;
    if (grew && growth?.isStalled) raised.push(recovered("the log grows again"));
    const standstill = grew
      ? { alarms: [], growth: { size: now.size, since: nowMillis, isStalled: false } }
      : this.#stall("the log has not grown", growth, nowMillis);
    raised.push(...standstill.alarms);
    // Where the log lost entries, others stand in their places.
    const from = Math.min(examined, now.kept ?? Number.POSITIVE_INFINITY);
    const end = Math.min(now.size, from + examinedAtOnce);
    for await (const [index, entry] of client.entries(from, end, now)) {
      const text = this.#breaches.take(entry);
      if (text !== undefined) raised.push({ time: nowMillis, kind: "breach", text, entry: index });
    }
    const { growth: known } = standstill;
    await this.#raise(raised, { examined: Math.max(from, end), growth: known, ...this.#breaches.known });
  }

  /** The bank did not answer, or showed what no honest log shows: that is told once, however often it is seen. */
  async failed({ reason, message }: Refusal, nowMillis: number): Promise<void> {
    const before = this.#delivery.progress;
    if (reasons[reason].retry) {
      const { growth = { size: 0, since: nowMillis, isStalled: false } } = before;
      const standstill = this.#stall(`the bank was not reached (${reason})`, growth, nowMillis);
      return this.#raise(standstill.alarms, { ...before, growth: standstill.growth });
    }
    const kind = reason === "log_forked" ? "fork" : "failed";
    const isKnown = before.failed === reason;
    const alarm: Alarm = { time: nowMillis, kind, text: `${reason}: ${message}` };
    await this.#raise(isKnown ? [] : [alarm], { ...before, failed: reason });
  }

  /** Goes on until all that waits was taken: after this watch nobody hands it over. */
  async handOver(everyMillis: number, ending: AbortSignal): Promise<void> {
    while (this.#delivery.isWaiting && !ending.aborted) {
      await delay(everyMillis, undefined, { signal: ending }).catch(() => {});
      await this.#deliver();
    }
  }

  /** Once for each standstill. */
  #stall(what: string, growth: Growth, nowMillis: number): { alarms: Alarm[]; growth: Growth } {
    const seconds = Math.floor((nowMillis - growth.since) / 1000);
    if (growth.isStalled || seconds < this.#alarms.stallSeconds) return { alarms: [], growth };
    return {
      alarms: [{ time: nowMillis, kind: "stall", text: `${what} for ${seconds} s` }],
      growth: { ...growth, isStalled: true },
    };
  }

  async #raise(alarms: readonly Alarm[], progress: Progress): Promise<void> {
    for (const { kind, text, entry } of alarms)
      tell(`ALARM ${kind}: ${text}${entry === undefined ? "" : `, entry ${entry}`}`);
    await this.#delivery.raise(alarms, progress);
    await this.#deliver();
  }

  async #deliver(): Promise<void> {
    for (const failure of await this.#delivery.deliver()) tell(`alarm not delivered, ${failure}`);
  }
}
