import { connect, type Socket } from "node:net";
import type { Collector, CollectorContext } from "./collector.ts";
import { zoneOffset } from "./file/time.ts";
import { type Iec104Config, pointKey } from "./iec104/config.ts";
import {
  type Apdu,
  control,
  decodeAsdu,
  encodeApdu,
  interrogation,
  modulus,
  type Telling,
  takeApdu,
  typeId,
} from "./iec104/protocol.ts";
import type { Reading } from "./reading.ts";
import { eventId } from "./runtime/event.ts";
import { InOrder } from "./runtime/in-order.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";

/**
 * Listens to one station: what it tells by itself, and everything when it is interrogated.
 *
 * A frame is acknowledged when its readings are stored. A station that has twelve frames unacknowledged waits, so a
 * slow store slows it, and it keeps what a crash would lose where it has a memory for it.
 */
export function iec104Collector(
  config: Iec104Config,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const name = config.name ?? `iec104 ${config.host}:${config.port}`;
  const points = new Map(
    config.points.map((point) => [pointKey(point.station ?? config.station, point.address), point]),
  );
  return supervise(name, context, { run: (link) => new Station(link, config, points).run() }, limits);
}

/** Frames not yet stored; the standard's window is 12, and stations are set to more. */
const mostOpen = 1_000;

type Points = ReadonlyMap<string, Iec104Config["points"][number]>;

/** One connection. */
class Station {
  readonly #link: Link;
  readonly #config: Iec104Config;
  readonly #points: Points;
  readonly #socket: Socket;
  readonly #receipts: InOrder<number>;
  readonly #stations: readonly number[];
  readonly #offset: (utcMillis: number) => number;
  /** Wall clock at the start: what is older was kept for us. */
  readonly #began: number;
  #sent = 0;
  #expected = 0;
  #acknowledged = 0;
  #started = false;
  /** When the line was last heard of, and an answer must be there; `Timer.elapsed`. */
  #heard: number;
  #due: number;

  constructor(link: Link, config: Iec104Config, points: Points) {
    this.#link = link;
    this.#config = config;
    this.#points = points;
    this.#stations = [...new Set([...points.keys()].map((key) => Number(key.split("/", 1)[0])))];
    this.#offset = zoneOffset(config.zone)!;
    this.#began = link.now();
    this.#socket = connect({ host: config.host, port: config.port, noDelay: true });
    this.#receipts = new InOrder((marks) => {
      this.#acknowledged = marks.at(-1)!;
      this.#send({ kind: "S", received: this.#acknowledged });
    });
    this.#heard = performance.now();
    this.#due = this.#heard + config.timeout;
  }

  async run(): Promise<void> {
    const { signal } = this.#link;
    const socket = this.#socket;
    const onAbort = () => socket.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    let why: Error | undefined;
    const lost = (error: Error): void => {
      why ??= error;
      socket.destroy();
    };
    const asking = setInterval(() => this.#askAll(), this.#config.interrogate);
    const watching = setInterval(
      () => this.#watch(lost),
      Math.min(this.#config.idle, this.#config.timeout) / 4,
    );
    socket.on("error", lost);
    socket.once("connect", () => this.#send({ kind: "U", control: control.startAct }));
    try {
      let pending: Buffer = Buffer.alloc(0);
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        this.#heard = performance.now();
        for (let found = takeApdu(pending); found !== undefined; found = takeApdu(pending)) {
          pending = found.rest;
          this.#take(found.apdu);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw why ?? error;
    } finally {
      clearInterval(asking);
      clearInterval(watching);
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted && this.#started && socket.writable) socket.end();
      socket.destroy();
    }
    if (!signal.aborted) throw why ?? new Error("connection closed");
  }

  #take(apdu: Apdu): void {
    switch (apdu.kind) {
      case "U":
        if (apdu.control === control.testAct) this.#send({ kind: "U", control: control.testCon });
        else if (apdu.control === control.startCon && !this.#started) {
          this.#started = true;
          this.#due = Number.POSITIVE_INFINITY;
          this.#link.connected();
          this.#askAll();
        } else if (apdu.control === control.testCon) this.#due = Number.POSITIVE_INFINITY;
        return;
      case "S":
        this.#checkAcknowledged(apdu.received);
        return;
      case "I": {
        this.#checkAcknowledged(apdu.received);
        if (!this.#started || apdu.sent !== this.#expected) throw new Error("a frame out of sequence");
        this.#expected = (this.#expected + 1) % modulus;
        const stored = this.#receipts.expect(this.#expected);
        let tellings: Telling[] = [];
        try {
          tellings = decodeAsdu(apdu.asdu);
        } catch (error) {
          this.#link.failed(error);
        }
        // The station bounds what is under way by what is not acknowledged, and its tests are answered meanwhile.
        if (this.#receipts.open > mostOpen) throw new Error("the station waits for no acknowledgement");
        this.#link.force(
          tellings.flatMap((one, i) => this.#readingOf(one, i)),
          stored,
        );
      }
    }
  }

  /** @throws {Error} where the station acknowledges what was not sent. */
  #checkAcknowledged(received: number): void {
    if ((this.#sent - received + modulus) % modulus > 12)
      throw new Error("an acknowledgement of what was not sent");
  }

  #readingOf({ station, address, value, quality, status, clock }: Telling, index: number): Reading[] {
    const point = this.#points.get(pointKey(station, address));
    if (point === undefined) return [];
    const received = this.#link.now();
    const time = clock === undefined ? received : (clock - this.#offset(clock - this.#offset(clock))) * 1000;
    return [
      {
        device: point.device ?? this.#config.device,
        metric: point.metric,
        unit: point.unit,
        value: typeof value === "number" ? value * point.scale : value,
        time,
        received,
        quality,
        status,
        // A step of one instant may be told twice; what has no time of its own is told once.
        ...(clock === undefined ? { event: eventId(this.#began, this.#expected, index) } : {}),
        historical: time < this.#began,
      },
    ];
  }

  #askAll(): void {
    if (!this.#started || !this.#socket.writable) return;
    for (const station of this.#stations) {
      this.#sendInformation(interrogation(typeId.interrogation, station));
      if (this.#config.counters) this.#sendInformation(interrogation(typeId.counterInterrogation, station));
    }
  }

  #sendInformation(asdu: Buffer): void {
    this.#send({ kind: "I", sent: this.#sent, received: this.#acknowledged, asdu });
    this.#sent = (this.#sent + 1) % modulus;
  }

  #send(apdu: Apdu): void {
    if (this.#socket.writable) this.#socket.write(encodeApdu(apdu));
  }

  /** Tests a silent line, and gives it up where nothing answers. */
  #watch(lost: (error: Error) => void): void {
    const now = performance.now();
    // A station that waits for our store has nothing to say.
    if (this.#receipts.open > 0) this.#heard = now;
    if (now > this.#due) lost(new Error("the station does not answer"));
    else if (
      this.#started &&
      this.#due === Number.POSITIVE_INFINITY &&
      now - this.#heard > this.#config.idle
    ) {
      this.#send({ kind: "U", control: control.testAct });
      this.#due = now + this.#config.timeout;
    }
  }
}
