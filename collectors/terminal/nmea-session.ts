import type { Socket } from "node:net";
import { closestTo, decodeSentence, type Sentence, sentenceLimit } from "../nmea.ts";
import type { Position, Reading } from "../reading.ts";
import type { Link } from "../runtime/supervise.ts";
import { ClockGuard, type Reference } from "./clock-guard.ts";
import { fieldUnits, type NmeaConfig } from "./config.ts";
import type { Conversation } from "./server.ts";

/** What a sentence type can tell; the other fields are left to the other type. */
const told = {
  RMC: ["position", "speed", "direction"],
  GGA: ["altitude"],
} as const;

const fixNames: Record<string, string> = {
  A: "ok",
  V: "no fix",
  "0": "no fix",
  "1": "ok",
  "2": "differential",
  "3": "precise",
  "4": "real-time kinematic",
  "5": "float kinematic",
  "6": "dead reckoning",
  "7": "manual",
  "8": "simulated",
};
/** Fixes that come from something else than satellites. */
const estimated = new Set(["6", "7", "8"]);

/** One receiver that dials us and sends sentences; NMEA has no acknowledgement and no back-fill. */
export class NmeaSession implements Conversation {
  readonly #link: Link;
  readonly #config: NmeaConfig;
  readonly #socket: Socket;
  readonly #clock: ClockGuard;
  #device: string | undefined;
  #pending = "";
  /** Source time of the last sentence: dates the GGA beside it. */
  #lastTime: number | undefined;
  /** Of the last sentence of each type: receivers repeat a fix once for each satellite system. */
  readonly #lastOf: Record<Sentence["type"], number | undefined> = { RMC: undefined, GGA: undefined };
  /** Of the last GGA. */
  #hdop: number | undefined;
  #estimated: string | undefined;

  constructor(link: Link, config: NmeaConfig, reference: Reference, socket: Socket) {
    this.#link = link;
    this.#config = config;
    this.#socket = socket;
    this.#clock = new ClockGuard(reference, config);
    this.#device = config.device;
  }

  async receive(chunk: Buffer): Promise<boolean> {
    const lines = (this.#pending + chunk.toString("latin1")).split(/\r?\n/);
    this.#pending = lines.pop()!;
    if (this.#pending.length > 4 * sentenceLimit) {
      this.#link.failed(new Error(`${this.#pending.length} bytes without the end of a line`));
      this.#pending = "";
    }
    let understood = false;
    for (const line of lines) {
      if (this.#socket.destroyed) break;
      if (this.#device === undefined) understood = this.#register(line);
      else if (await this.#take(this.#device, line)) understood = true;
    }
    return understood;
  }

  #register(line: string): boolean {
    const { prefix, devices } = this.#config.registration!;
    const identity = line.startsWith(prefix) ? line.slice(prefix.length).trim() : "";
    if (!Object.hasOwn(devices, identity)) {
      this.#link.failed(new Error("a receiver that is not configured was refused"));
      this.#socket.destroy();
      return false;
    }
    this.#device = devices[identity];
    this.#link.connected();
    return true;
  }

  async #take(device: string, line: string): Promise<boolean> {
    let sentence: Sentence | undefined;
    try {
      // Noise after a lost line end must not cost the sentence behind it.
      sentence = decodeSentence(line.slice(Math.max(0, line.lastIndexOf("$"))));
    } catch (error) {
      this.#link.failed(error);
      return false;
    }
    if (sentence === undefined) return false;
    this.#link.connected();
    await this.#link.emit(this.#readingsOf(device, sentence));
    return true;
  }

  #readingsOf(device: string, sentence: Sentence): Reading[] {
    const received = this.#link.now();
    const time = this.#timeOf(sentence, received);
    if (time !== undefined && time === this.#lastOf[sentence.type]) return [];
    this.#lastOf[sentence.type] = time;
    const clock = time === undefined ? "no source time" : this.#clock.doubt(time, false);
    if (sentence.type === "GGA") {
      this.#hdop = sentence.hdop;
      this.#estimated = estimated.has(sentence.fix) ? fixNames[sentence.fix] : undefined;
    }
    const position = this.#positionOf(sentence);
    const doubt = clock ?? this.#estimated;
    const values = {
      position: 1,
      speed: sentence.speedKmh,
      direction: sentence.courseDegrees,
      altitude: sentence.altitudeMetres,
    };
    return this.#config.readings.flatMap(({ from, metric }): Reading[] => {
      if (!(told[sentence.type] as readonly string[]).includes(from)) return [];
      const value = position === undefined ? undefined : values[from as keyof typeof values];
      return [
        {
          device,
          metric,
          value: value ?? null,
          unit: fieldUnits[from],
          time: time ?? received,
          received,
          quality: value === undefined ? "bad" : doubt === undefined ? "good" : "uncertain",
          status: value === undefined ? "no fix" : (doubt ?? fixNames[sentence.fix] ?? "ok"),
          historical: false,
          ...(position === undefined ? {} : { position }),
        },
      ];
    });
  }

  /** GGA has no date: it belongs to the second of the RMC beside it, or to now. */
  #timeOf({ date, timeOfDay }: Sentence, received: number): number | undefined {
    if (timeOfDay === undefined) return undefined;
    const time = date === undefined ? closestTo(this.#lastTime ?? received, timeOfDay) : date + timeOfDay;
    this.#lastTime = time;
    return time;
  }

  #positionOf({ valid, lat, lon, talker }: Sentence): Position | undefined {
    if (!valid || lat === undefined || lon === undefined) return undefined;
    const { datum, combined, rangeErrorMetres } = this.#config;
    const source = talker === "GP" ? "gps" : talker === "GN" ? combined : "beidou";
    return { lat, lon, datum, source, accuracyMetres: (this.#hdop ?? 1) * rangeErrorMetres };
  }
}
