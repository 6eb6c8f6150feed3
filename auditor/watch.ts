/** `fedcredit audit watch`: follows the bank's log, cosigns it, and raises alarms. */
import { setTimeout as delay } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { toBase64 } from "../core/bytes.ts";
import { onEnding } from "../core/ending.ts";
import { type Refusal, reasons } from "../core/reasons.ts";
import { print, tell } from "../core/terminal.ts";
import { readYaml } from "../core/yaml.ts";
import type { SeenTree } from "../privacy/log/witness.ts";
import { refusalOf } from "../proto/wire.ts";
import { Breaches } from "./alarms/breaches.ts";
import { type Alarms, alarmsSchema } from "./alarms/config.ts";
import { type Alarm, Delivery } from "./alarms/delivery.ts";
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

interface Flags extends Connection {
  readonly once?: true;
  readonly every: number;
  readonly alarms?: string;
}

export function watchCommand(): Command {
  return remoteCommand("watch", "follow the bank's log: check that it only grows, and cosign it")
    .option("--once", "look once, then end")
    .option(
      "--every <seconds>",
      "between two looks",
      (text) => {
        if (!(Number(text) > 0)) throw new InvalidArgumentError("Give seconds, more than 0");
        return Number(text);
      },
      10,
    )
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
          seen = await look(client, flags, seen, watchman);
          if (!flags.once)
            await delay(flags.every * 1000, undefined, { signal: ending.signal }).catch(() => {});
        } while (!flags.once && !ending.signal.aborted);
      } finally {
        client.close();
      }
    });
}

/** One look. While watching, a bank that cannot be reached is looked at again; a fork ends the watch. */
async function look(
  client: AuditorClient,
  flags: Flags,
  seen: SeenTree | undefined,
  watchman: Watchman | undefined,
): Promise<SeenTree | undefined> {
  let now: Look;
  try {
    now = await lookAt(client, flags.dir);
  } catch (error) {
    const refusal = refusalOf(error);
    await watchman?.failed(refusal, Date.now());
    if (flags.once || !reasons[refusal.reason].retry) throw refusal;
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
  #grewAt = Date.now();
  #size = -1;
  #isStalled = false;

  private constructor(alarms: Alarms, delivery: Delivery) {
    this.#alarms = alarms;
    this.#delivery = delivery;
    this.#breaches = new Breaches(alarms.thresholds);
  }

  static async open(flags: Flags, file: string): Promise<Watchman> {
    const alarms = readYaml(file, alarmsSchema);
    return new Watchman(alarms, await Delivery.open(flags.dir, alarms, (await pinnedBankKey(flags)).name));
  }

  /** Looks at what came to the log since the last look. */
  async examine(client: AuditorClient, now: Look, nowMillis: number): Promise<void> {
    const raised: Alarm[] = [];
    if (now.size !== this.#size) {
      if (this.#isStalled) raised.push({ time: nowMillis, kind: "recovered", text: "the log grows again" });
      [this.#size, this.#grewAt, this.#isStalled] = [now.size, nowMillis, false];
    } else raised.push(...this.#stall("the log has not grown", nowMillis));
    // Where the log lost entries, others stand in their places.
    const from = Math.min(this.#delivery.examined, now.kept ?? Number.POSITIVE_INFINITY);
    const end = Math.min(now.size, from + examinedAtOnce);
    for await (const [index, entry] of client.entries(from, end, now)) {
      const text = this.#breaches.take(entry);
      if (text !== undefined) raised.push({ time: nowMillis, kind: "breach", text, entry: index });
    }
    await this.#raise(raised, Math.max(from, end));
  }

  /** The bank did not answer, or showed what no honest log shows. */
  async failed({ reason, message }: Refusal, nowMillis: number): Promise<void> {
    const raised: Alarm[] = reasons[reason].retry
      ? this.#stall(`the bank was not reached (${reason})`, nowMillis)
      : [
          {
            time: nowMillis,
            kind: reason === "log_forked" ? "fork" : "failed",
            text: `${reason}: ${message}`,
          },
        ];
    await this.#raise(raised, this.#delivery.examined);
  }

  /** Once for each standstill. */
  #stall(what: string, nowMillis: number): Alarm[] {
    const seconds = Math.floor((nowMillis - this.#grewAt) / 1000);
    if (this.#isStalled || seconds < this.#alarms.stallSeconds) return [];
    this.#isStalled = true;
    return [{ time: nowMillis, kind: "stall", text: `${what} for ${seconds} s` }];
  }

  async #raise(alarms: readonly Alarm[], examined: number): Promise<void> {
    for (const { kind, text, entry } of alarms)
      tell(`ALARM ${kind}: ${text}${entry === undefined ? "" : `, entry ${entry}`}`);
    if (alarms.length > 0 || examined !== this.#delivery.examined)
      await this.#delivery.raise(alarms, examined);
    for (const failure of await this.#delivery.deliver()) tell(`alarm not delivered, ${failure}`);
  }
}
