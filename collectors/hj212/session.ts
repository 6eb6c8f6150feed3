import { hash, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { Refusal } from "../../core/reasons.ts";
import { timeReader } from "../file/time.ts";
import { answerTo, dataCommands, flagBit, type Hj212Message, Hj212Splitter } from "../hj212.ts";
import type { Reading } from "../reading.ts";
import { eventId } from "../runtime/event.ts";
import type { Link } from "../runtime/supervise.ts";
import { ClockGuard, type Reference } from "../terminal/clock-guard.ts";
import type { Deliveries } from "../terminal/deliveries.ts";
import type { Conversation } from "../terminal/server.ts";
import type { Hj212Config } from "./config.ts";

/** A listed station, across its connections. */
export interface Station {
  readonly device: string;
  readonly password: Buffer;
  readonly deliveries: Deliveries;
}

export const digestOf = (password: string): Buffer => hash("sha256", password, "buffer");

/** Frames of strangers after which a connection is closed. */
const mostGuesses = 3;

/** What a factor's flag says of its value. @see HJ 212-2017, table 8 */
const flags: ReadonlyMap<string, readonly [Reading["quality"], string]> = new Map([
  ["N", ["good", "ok"]],
  ["T", ["uncertain", "over range"]],
  ["F", ["bad", "stopped"]],
  ["M", ["bad", "maintenance"]],
  ["S", ["bad", "set by hand"]],
  ["D", ["bad", "fault"]],
  ["C", ["bad", "calibration"]],
  ["B", ["bad", "no communication"]],
]);

/** One connection; every frame names its station and bears that station's password. */
export class Hj212Session implements Conversation {
  readonly #link: Link;
  readonly #config: Hj212Config;
  readonly #stations: ReadonlyMap<string, Station>;
  readonly #socket: Socket;
  readonly #splitter = new Hj212Splitter();
  readonly #clocks = new Map<Station, ClockGuard>();
  readonly #reference: Reference;
  readonly #timeOf: (text: unknown) => number | undefined;
  #guesses = 0;

  constructor(
    link: Link,
    config: Hj212Config,
    stations: ReadonlyMap<string, Station>,
    reference: Reference,
    socket: Socket,
  ) {
    this.#link = link;
    this.#config = config;
    this.#stations = stations;
    this.#reference = reference;
    this.#socket = socket;
    this.#timeOf = timeReader("yyyyMMddHHmmss", config.zone);
  }

  async receive(chunk: Buffer): Promise<boolean> {
    let understood = false;
    for (const found of this.#splitter.push(chunk)) {
      if (this.#socket.destroyed) break;
      if (found instanceof Refusal) this.#link.failed(found);
      else if (await this.#take(found)) understood = true;
    }
    return understood;
  }

  async #take(message: Hj212Message): Promise<boolean> {
    const station = this.#stations.get(message.mn);
    if (station === undefined || !timingSafeEqual(station.password, digestOf(message.pw))) {
      this.#link.failed(new Error("a station that is not listed, or with another password, was refused"));
      if (++this.#guesses === mostGuesses) this.#socket.destroy();
      return false;
    }
    this.#link.connected();
    const answer = (): void => {
      if (message.flag & flagBit.answer && this.#socket.writable) this.#socket.write(answerTo(message));
    };
    const of = dataCommands.get(message.cn);
    if (of === undefined) {
      answer();
      return true;
    }
    const content = hash(
      "sha256",
      JSON.stringify([message.qn, message.cn, message.groups.map((g) => [...g])]),
    );
    const stored = station.deliveries.take(content, answer);
    if (stored !== undefined) await this.#link.emit(this.#readingsOf(station, of, message), stored);
    return true;
  }

  #readingsOf(station: Station, of: string, message: Hj212Message): Reading[] {
    const received = this.#link.now();
    const said = message.groups.find((group) => group.has("DataTime"))?.get("DataTime");
    const time = this.#timeOf(said);
    const clock = time === undefined ? "no source time" : this.#clockOf(station).doubt(time, of !== "now");
    return this.#config.readings.flatMap((field): Reading[] => {
      if (field.of !== of) return [];
      const key = `${field.factor}-${field.field}`;
      const group = message.groups.find((one) => one.has(key));
      if (group === undefined) return [];
      const text = group.get(key)!;
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)
        ? Number(text) * field.scale
        : undefined;
      const flag = group.get(`${field.factor}-Flag`) ?? "N";
      const [quality, status] = flags.get(flag) ?? ["uncertain", "another flag"];
      const judged =
        value === undefined || !Number.isFinite(value)
          ? ({ value: null, quality: "bad", status: "unreadable" } as const)
          : clock === undefined || quality === "bad"
            ? { value, quality, status }
            : { value, quality: "uncertain" as const, status: clock };
      return [
        {
          device: station.device,
          metric: field.metric,
          unit: field.unit,
          ...judged,
          time: time ?? received,
          received,
          // A report of a time is one, however often it is asked for and sent.
          event: eventId(of, said ?? message.qn, key),
          historical: of !== "now",
        },
      ];
    });
  }

  #clockOf(station: Station): ClockGuard {
    let clock = this.#clocks.get(station);
    if (clock === undefined) {
      clock = new ClockGuard(this.#reference, this.#config);
      this.#clocks.set(station, clock);
    }
    return clock;
  }
}
