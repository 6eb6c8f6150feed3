import { hash } from "node:crypto";
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
  registeredTerminal,
  registerReply,
} from "../jt808.ts";
import type { Reading } from "../reading.ts";
import type { Link } from "../runtime/supervise.ts";
import { ClockGuard, type Reference } from "./clock-guard.ts";
import type { Jt808Config } from "./config.ts";
import { bare } from "./config.ts";
import { Parts } from "./parts.ts";
import { locationReadings } from "./readings.ts";
import type { Registrations } from "./registrations.ts";
import type { Conversation } from "./server.ts";

/** Reports last stored per terminal that are recognised when they are sent again. */
const remembered = 64;

/** Wrong codes after which a connection is closed. */
const mostGuesses = 3;

/** One terminal's reports, across its connections. */
class Terminal {
  readonly device: string;
  readonly listed: Jt808Config["terminals"][number];
  /** Taken and not yet stored, by content; answered through the copy that came last. */
  readonly waiting = new Map<string, (result: Result) => void>();
  readonly #stored: string[] = [];
  /** The connection it speaks on; a terminal that dials again has lost the one before. */
  session: Session | undefined;

  constructor(listed: Jt808Config["terminals"][number]) {
    this.device = listed.device;
    this.listed = listed;
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
  /** Who has a code; undefined where none are asked for. */
  readonly registrations: Registrations | undefined;

  constructor(config: Jt808Config, registrations: Registrations | undefined) {
    this.config = config;
    this.registrations = registrations;
    this.#terminals = new Map(config.terminals.map((listed) => [bare(listed.phone), new Terminal(listed)]));
  }

  terminal(phone: string): Terminal | undefined {
    return this.#terminals.get(bare(phone));
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
  /** Whether the peer has shown that it is the terminal whose number it gives. */
  #authenticated: boolean;
  #guesses = 0;
  #serial = 0;
  #receiving: Promise<unknown> = Promise.resolve();

  constructor(link: Link, fleet: Fleet, reference: Reference, socket: Socket) {
    this.#link = link;
    this.#fleet = fleet;
    this.#socket = socket;
    this.#clock = new ClockGuard(reference, fleet.config);
    this.#authenticated = fleet.registrations === undefined;
  }

  receive(chunk: Buffer): Promise<boolean> {
    const receiving = this.#takeAll(chunk);
    this.#receiving = receiving;
    return receiving;
  }

  ended(): void {
    if (this.#terminal?.session === this) this.#terminal.session = undefined;
  }

  /** A peer that does not authenticate is let go like one that is silent. */
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
    return understood && this.#authenticated;
  }

  async #take(message: Message): Promise<void> {
    const terminal = this.#terminalOf(message);
    if (terminal === undefined) return;
    if (message.id === messageId.register) return this.#register(terminal, message);
    if (message.id === messageId.authenticate) await this.#authenticate(terminal, message);
    if (!this.#authenticated) return this.#answer(message, "failed");
    await this.#claim(terminal);
    const whole = message.part === undefined ? message : this.#parts.add(message);
    if (whole === undefined) return this.#answer(message, "done");
    switch (whole.id) {
      case messageId.terminalReply:
        return;
      case messageId.authenticate:
      case messageId.heartbeat:
      case messageId.logout:
        return this.#answer(whole, "done");
      case messageId.location:
      case messageId.locationBatch:
        return this.#report(terminal, whole);
      default:
        return this.#answer(whole, "unsupported");
    }
  }

  /** @returns undefined where the terminal is not ours: it is told so and its connection closed. */
  #terminalOf(message: Message): Terminal | undefined {
    const terminal = this.#fleet.terminal(message.phone);
    if (terminal === undefined || (this.#terminal !== undefined && this.#terminal !== terminal)) {
      if (message.id === messageId.register) this.#send(registerReply(message, this.#serial++, "not known"));
      else this.#answer(message, "failed");
      this.#link.failed(new Error("a terminal that is not configured was refused"));
      this.#socket.destroySoon();
      return undefined;
    }
    this.#terminal = terminal;
    return terminal;
  }

  /** The terminal speaks here from now on; the connection it had before is lost. Never before it is known to be it. */
  async #claim(terminal: Terminal): Promise<void> {
    const before = terminal.session;
    if (before === this) return;
    terminal.session = this;
    if (before !== undefined) {
      before.#socket.destroy();
      // What it has read already goes first: its reports are older.
      await before.#receiving;
    }
    this.#link.connected();
  }

  /** A code goes to the terminal that bears the id listed for its number, and only until it was used once. */
  #register(terminal: Terminal, message: Message): void {
    const { registrations } = this.#fleet;
    const { listed } = terminal;
    const result =
      registrations === undefined
        ? { code: "none" }
        : registeredTerminal(message) !== listed.terminal
          ? "not known"
          : registrations.used(listed)
            ? "registered already"
            : { code: registrations.codeOf(listed) };
    if (typeof result === "string")
      this.#link.failed(
        new Error(
          result === "not known"
            ? `a registration for ${terminal.device} came from a terminal with another id`
            : `${terminal.device} has its code and registers again: raise its issue if it lost the code`,
        ),
      );
    this.#send(registerReply(message, this.#serial++, result));
  }

  async #authenticate(terminal: Terminal, message: Message): Promise<void> {
    const { registrations } = this.#fleet;
    if (this.#authenticated || registrations === undefined) return;
    if (registrations.accepts(terminal.listed, authenticationCode(message))) {
      await registrations.use(terminal.listed);
      this.#authenticated = true;
    } else if (++this.#guesses === mostGuesses) {
      this.#link.failed(new Error(`a peer that is not ${terminal.device} was refused`));
      this.#socket.destroySoon();
    }
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
