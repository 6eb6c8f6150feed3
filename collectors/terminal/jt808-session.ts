import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { Refusal } from "../../core/reasons.ts";
import { decodeBatch, decodeLocation } from "../jt808/location.ts";
import {
  authenticationCode,
  encodeMessage,
  FrameSplitter,
  type Message,
  messageId,
  platformReply,
  type Result,
  registerReply,
} from "../jt808.ts";
import type { Reading } from "../reading.ts";
import type { Link } from "../runtime/supervise.ts";
import { ClockGuard, type Reference } from "./clock-guard.ts";
import type { Jt808Config } from "./config.ts";
import { bare } from "./config.ts";
import { Parts } from "./parts.ts";
import { locationReadings } from "./readings.ts";
import type { Conversation } from "./server.ts";

/** Reports last stored per terminal that are recognised when they are sent again. */
const remembered = 64;

/** One terminal's reports, across its connections. */
class Terminal {
  readonly device: string;
  /** Taken and not yet stored, by content; answered through the copy that came last. */
  readonly waiting = new Map<string, (result: Result) => void>();
  readonly #stored: string[] = [];
  /** The connection it speaks on; a terminal that dials again has lost the one before. */
  session: Session | undefined;

  constructor(device: string) {
    this.device = device;
  }

  wasStored(content: string): boolean {
    return this.#stored.includes(content);
  }

  stored(content: string): void {
    const answer = this.waiting.get(content);
    this.waiting.delete(content);
    this.#stored.push(content);
    if (this.#stored.length > remembered) this.#stored.shift();
    answer?.("done");
  }
}

/** All terminals of one port. */
export class Fleet {
  readonly config: Jt808Config;
  readonly #terminals: ReadonlyMap<string, Terminal>;
  /** Key of the authentication codes; undefined where none are asked for. */
  readonly #key: string | undefined;

  constructor(config: Jt808Config, key: string | undefined) {
    this.config = config;
    this.#key = key;
    this.#terminals = new Map(
      config.terminals.map(({ phone, device }) => [bare(phone), new Terminal(device)]),
    );
  }

  terminal(phone: string): Terminal | undefined {
    return this.#terminals.get(bare(phone));
  }

  get authenticates(): boolean {
    return this.#key !== undefined;
  }

  /** The code is a function of the number, so a terminal that keeps its code is known after a restart too. */
  codeOf(phone: string): string {
    return this.#key === undefined
      ? "none"
      : createHmac("sha256", this.#key).update(bare(phone)).digest("hex").slice(0, 32);
  }

  /** Reports taken and not yet stored. */
  get waiting(): number {
    let sum = 0;
    for (const terminal of this.#terminals.values()) sum += terminal.waiting.size;
    return sum;
  }
}

/** One connection of one terminal. */
export class Session implements Conversation {
  readonly #link: Link;
  readonly #fleet: Fleet;
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter();
  readonly #parts = new Parts();
  readonly #clock: ClockGuard;
  #terminal: Terminal | undefined;
  #authenticated = false;
  #serial = 0;
  #receiving: Promise<unknown> = Promise.resolve();

  constructor(link: Link, fleet: Fleet, reference: Reference, socket: Socket) {
    this.#link = link;
    this.#fleet = fleet;
    this.#socket = socket;
    this.#clock = new ClockGuard(reference, fleet.config);
    this.#authenticated = !fleet.authenticates;
  }

  receive(chunk: Buffer): Promise<boolean> {
    const receiving = this.#takeAll(chunk);
    this.#receiving = receiving;
    return receiving;
  }

  ended(): void {
    if (this.#terminal?.session === this) this.#terminal.session = undefined;
  }

  async #takeAll(chunk: Buffer): Promise<boolean> {
    let understood = false;
    for (const found of this.#splitter.push(chunk)) {
      if (this.#socket.destroyed) break;
      if (found instanceof Refusal) {
        this.#link.failed(found);
        continue;
      }
      understood = true;
      try {
        await this.#take(found);
      } catch (error) {
        this.#link.failed(error);
        this.#answer(found, "malformed");
      }
    }
    return understood;
  }

  async #take(message: Message): Promise<void> {
    const terminal = await this.#terminalOf(message);
    if (terminal === undefined) return;
    const whole = message.part === undefined ? message : this.#parts.add(message);
    if (whole === undefined) return this.#answer(message, "done");
    switch (whole.id) {
      case messageId.terminalReply:
        return;
      case messageId.register:
        return this.#send(registerReply(whole, this.#serial++, this.#fleet.codeOf(whole.phone)));
      case messageId.authenticate:
        return this.#authenticate(whole);
      case messageId.heartbeat:
      case messageId.logout:
        return this.#answer(whole, "done");
      case messageId.location:
      case messageId.locationBatch:
        if (!this.#authenticated) return this.#answer(whole, "failed");
        return this.#report(terminal, whole);
      default:
        return this.#answer(whole, "unsupported");
    }
  }

  /** @returns undefined where the terminal is not ours: it is told so and its connection closed. */
  async #terminalOf(message: Message): Promise<Terminal | undefined> {
    const terminal = this.#fleet.terminal(message.phone);
    if (terminal === undefined || (this.#terminal !== undefined && this.#terminal !== terminal)) {
      if (message.id === messageId.register) this.#send(registerReply(message, this.#serial++, undefined));
      else this.#answer(message, "failed");
      this.#link.failed(new Error("a terminal that is not configured was refused"));
      this.#socket.destroySoon();
      return undefined;
    }
    if (this.#terminal === undefined) {
      this.#terminal = terminal;
      const before = terminal.session;
      terminal.session = this;
      if (before !== undefined) {
        before.#socket.destroy();
        // What it has read already goes first: its reports are older.
        await before.#receiving;
      }
      this.#link.connected();
    }
    return terminal;
  }

  #authenticate(message: Message): void {
    const expected = Buffer.from(this.#fleet.codeOf(message.phone));
    const given = Buffer.from(authenticationCode(message));
    this.#authenticated ||= given.length === expected.length && timingSafeEqual(given, expected);
    this.#answer(message, this.#authenticated ? "done" : "failed");
  }

  /** Acknowledged when stored: until then the terminal keeps the report and sends it again. */
  async #report(terminal: Terminal, message: Message): Promise<void> {
    const content = hash("sha256", Buffer.concat([Buffer.of(message.id & 0xff), message.body]), "base64");
    const answer = (result: Result) => this.#answer(message, result);
    if (terminal.wasStored(content)) return answer("done");
    if (terminal.waiting.has(content)) {
      terminal.waiting.set(content, answer);
      return;
    }
    const readings = this.#readingsOf(terminal, message);
    terminal.waiting.set(content, answer);
    await this.#link.emit(readings, () => terminal.stored(content));
  }

  #readingsOf({ device }: Terminal, message: Message): Reading[] {
    const historical = message.id === messageId.locationBatch;
    const received = this.#link.now();
    const locations = historical ? decodeBatch(message.body) : [decodeLocation(message.body)];
    return locations.flatMap((location) => {
      if (location instanceof Refusal) {
        this.#link.failed(location);
        return [];
      }
      const doubt = location.time === undefined ? undefined : this.#clock.doubt(location.time, historical);
      return locationReadings(this.#fleet.config, location, {
        device,
        received,
        sequence: message.serial,
        historical,
        doubt,
      });
    });
  }

  #answer(message: Message, result: Result): void {
    this.#send(platformReply(message, this.#serial++, result));
  }

  #send(message: Message): void {
    if (this.#socket.writable) this.#socket.write(encodeMessage(message));
  }
}
