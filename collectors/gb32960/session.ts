import { hash, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { Refusal } from "../../core/reasons.ts";
import {
  command,
  decodeReport,
  encodeMessage,
  encodeTime,
  type Field,
  type Gb32960Message,
  Gb32960Splitter,
  response,
} from "../gb32960.ts";
import type { Reading } from "../reading.ts";
import type { Link } from "../runtime/supervise.ts";
import { ClockGuard, type Reference } from "../terminal/clock-guard.ts";
import { Deliveries } from "../terminal/deliveries.ts";
import type { Conversation } from "../terminal/server.ts";
import { fieldUnits, type Gb32960Config } from "./config.ts";

/** A listed vehicle, across its connections. */
interface Vehicle {
  readonly device: string;
  readonly iccid: string | undefined;
  readonly deliveries: Deliveries;
}

/** All vehicles of one port. */
export class Vehicles {
  readonly config: Gb32960Config;
  /** Of the platform that speaks for them; undefined where none does. */
  password: string | undefined;
  readonly #vehicles: ReadonlyMap<string, Vehicle>;

  constructor(config: Gb32960Config) {
    this.config = config;
    this.#vehicles = new Map(
      config.vehicles.map(({ vin, device, iccid }) => [vin, { device, iccid, deliveries: new Deliveries() }]),
    );
  }

  vehicle(vin: string): Vehicle | undefined {
    return this.#vehicles.get(vin);
  }

  get waiting(): number {
    return [...this.#vehicles.values()].reduce((sum, { deliveries }) => sum + deliveries.waiting, 0);
  }
}

/** Frames of strangers after which a connection is closed. */
const mostGuesses = 3;

const same = (one: string, other: string): boolean =>
  timingSafeEqual(hash("sha256", one, "buffer"), hash("sha256", other, "buffer"));

/** One connection: of one vehicle, or of a platform that speaks for several. */
export class Gb32960Session implements Conversation {
  readonly #link: Link;
  readonly #vehicles: Vehicles;
  readonly #socket: Socket;
  readonly #reference: Reference;
  readonly #splitter = new Gb32960Splitter();
  readonly #clocks = new Map<Vehicle, ClockGuard>();
  /** The vehicle that logged in here; with a platform's login, every one that is listed. */
  #speaksFor: Vehicle | "all" | undefined;
  #guesses = 0;

  constructor(link: Link, vehicles: Vehicles, reference: Reference, socket: Socket) {
    this.#link = link;
    this.#vehicles = vehicles;
    this.#reference = reference;
    this.#socket = socket;
    if (vehicles.config.authentication === "none") this.#speaksFor = "all";
  }

  async receive(chunk: Buffer): Promise<boolean> {
    let understood = false;
    for (const found of this.#splitter.push(chunk)) {
      if (this.#socket.destroyed) break;
      if (found instanceof Refusal) {
        this.#link.failed(found);
        continue;
      }
      // An answer of the peer asks for nothing.
      if (found.response !== response.command) continue;
      try {
        if (await this.#take(found)) understood = true;
      } catch (error) {
        this.#link.failed(error);
        this.#answer(found, response.failed);
      }
    }
    return understood;
  }

  async #take(message: Gb32960Message): Promise<boolean> {
    switch (message.command) {
      case command.platformLogin:
        return this.#platformLogin(message);
      case command.heartbeat:
      case command.time:
      case command.platformLogout:
        if (this.#speaksFor === undefined) return this.#refuse(message);
        this.#answer(message, response.done);
        return true;
    }
    const vehicle = this.#vehicles.vehicle(message.vin);
    if (vehicle === undefined) return this.#refuse(message);
    if (message.command === command.login && !this.#login(vehicle, message)) return this.#refuse(message);
    if (this.#speaksFor !== "all" && this.#speaksFor !== vehicle) return this.#refuse(message);
    this.#link.connected();
    switch (message.command) {
      case command.report:
      case command.reissue:
        await this.#report(vehicle, message);
        return true;
      default:
        this.#answer(message, response.done);
        return true;
    }
  }

  /**
   * ```
   * time [6] | login number u16 | ICCID [20] | subsystems u8 | …
   * ```
   * @see GB/T 32960.3-2016, table 6
   */
  #login(vehicle: Vehicle, { data }: Gb32960Message): boolean {
    if (this.#speaksFor === "all") return true;
    if (this.#vehicles.config.authentication !== "iccid" || data.length < 28) return false;
    const iccid = data.toString("latin1", 8, 28).replace(/[\0 ]+$/, "");
    if (!same(iccid, vehicle.iccid!)) return false;
    this.#speaksFor = vehicle;
    return true;
  }

  /**
   * ```
   * time [6] | login number u16 | user [12] | password [20] | encryption u8
   * ```
   * @see GB/T 32960.3-2016, table 20
   */
  #platformLogin(message: Gb32960Message): boolean {
    const { authentication } = this.#vehicles.config;
    const text = (from: number, to: number) =>
      message.data.toString("latin1", from, to).replace(/[\0 ]+$/, "");
    if (typeof authentication !== "object" || message.data.length < 41) return this.#refuse(message);
    const right = same(text(8, 20), authentication.user) && same(text(20, 40), this.#vehicles.password!);
    if (!right) return this.#refuse(message);
    this.#speaksFor = "all";
    this.#link.connected();
    this.#answer(message, response.done);
    return true;
  }

  #refuse(message: Gb32960Message): boolean {
    this.#link.failed(new Error("a vehicle that is not listed, or did not log in as it, was refused"));
    this.#answer(message, response.failed);
    if (++this.#guesses === mostGuesses) this.#socket.destroySoon();
    return false;
  }

  /** Acknowledged when stored: until then the vehicle keeps the report and sends it again. */
  async #report(vehicle: Vehicle, message: Gb32960Message): Promise<void> {
    const readings = this.#readingsOf(vehicle, message);
    const content = hash("sha256", message.data, "base64");
    const stored = vehicle.deliveries.take(content, () => this.#answer(message, response.done));
    if (stored !== undefined) await this.#link.emit(readings, stored);
  }

  #readingsOf(vehicle: Vehicle, message: Gb32960Message): Reading[] {
    const { readings, datum, source, accuracyMetres } = this.#vehicles.config;
    const received = this.#link.now();
    const report = decodeReport(message.data);
    const historical = message.command === command.reissue;
    const doubt =
      report.time === undefined ? "no source time" : this.#clockOf(vehicle).doubt(report.time, historical);
    const position = report.position && { ...report.position, datum, source, accuracyMetres };
    const judged = (value: Field | undefined): Pick<Reading, "value" | "quality" | "status"> =>
      typeof value !== "number"
        ? { value: null, quality: "bad", status: value ?? "no fix" }
        : doubt === undefined
          ? { value, quality: "good", status: "ok" }
          : { value, quality: "uncertain", status: doubt };
    return readings.flatMap(({ from, metric }): Reading[] => {
      const value = from === "position" ? position && 1 : report.fields.get(from);
      if (value === undefined && from !== "position") return [];
      return [
        {
          device: vehicle.device,
          metric,
          unit: fieldUnits[from],
          ...judged(value),
          time: report.time ?? received,
          received,
          historical,
          ...(position === undefined ? {} : { position }),
        },
      ];
    });
  }

  #clockOf(vehicle: Vehicle): ClockGuard {
    let clock = this.#clocks.get(vehicle);
    if (clock === undefined) {
      clock = new ClockGuard(this.#reference, this.#vehicles.config);
      this.#clocks.set(vehicle, clock);
    }
    return clock;
  }

  /** With the time of what is answered; a heartbeat has none, and a question for the time gets ours. */
  #answer({ command: asked, vin, data }: Gb32960Message, result: number): void {
    if (!this.#socket.writable) return;
    const time =
      asked === command.heartbeat
        ? Buffer.alloc(0)
        : asked === command.time
          ? encodeTime(this.#link.now())
          : data.subarray(0, 6);
    this.#socket.write(encodeMessage({ command: asked, response: result, vin, data: time }));
  }
}
