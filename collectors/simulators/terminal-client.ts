import { connect, type Socket } from "node:net";
import { Refusal } from "../../core/reasons.ts";
import { encodeBatch, encodeLocation, type Location } from "../jt808/location.ts";
import { encodeMessage, FrameSplitter, type Message, messageId } from "../jt808.ts";

export interface TerminalOptions {
  readonly port: number;
  readonly phone: string;
  readonly version?: Message["version"];
  /** Reports sent and not acknowledged at most; 1 when absent. */
  readonly window?: number;
  /** Milliseconds without an answer after which the terminal dials again; 1,000 when absent. */
  readonly replyMillis?: number;
  /** Milliseconds between losing a connection and dialling again; 20 when absent. */
  readonly redialMillis?: number;
  /** Milliseconds between heartbeats; 100 when absent. */
  readonly heartbeatMillis?: number;
  /** Presented instead of registering. */
  readonly code?: string;
  /** The maker's id that it registers by; zeros when absent. */
  readonly terminal?: string;
}

export interface SimulatedTerminal {
  /** Keeps a position until the platform has acknowledged it. */
  report(location: Location): void;
  /** The same for positions that go out in one message. @param kind - 0 regular, 1 from a dead zone. */
  reportBatch(locations: readonly Location[], kind: 0 | 1): void;
  /** Loses power: the connection ends without a word, and what it has not sent waits. */
  switchOff(): void;
  switchOn(): void;
  /** Messages whose acknowledgement came. */
  readonly acknowledged: number;
  /** Answers of the platform that were no success. */
  readonly refused: number;
  /** Connections made. */
  readonly connections: number;
  close(): void;
}

interface Kept {
  readonly id: number;
  readonly body: Buffer;
  serial?: number;
}

/** A vehicle terminal that speaks JT/T 808 and dials the loopback interface. */
export function startTerminal(options: TerminalOptions): SimulatedTerminal {
  const { port, phone, version = "2013", window = 1, replyMillis = 1_000 } = options;
  const { redialMillis = 20, heartbeatMillis = 100 } = options;
  const kept: Kept[] = [];
  let code = options.code;
  let on = true;
  let socket: Socket | undefined;
  let ready = false;
  let serial = 0;
  let acknowledged = 0;
  let refused = 0;
  let connections = 0;
  let redial: NodeJS.Timeout | undefined;
  let unanswered: NodeJS.Timeout | undefined;

  function send(id: number, body: Buffer): number {
    const mine = serial;
    serial = (serial + 1) & 0xffff;
    socket?.write(encodeMessage({ id, version, phone, serial: mine, body }));
    unanswered ??= setTimeout(() => socket?.destroy(), replyMillis);
    return mine;
  }

  function pump(): void {
    if (!ready) return;
    for (const report of kept.slice(0, window)) report.serial ??= send(report.id, report.body);
  }

  function take(message: Message): void {
    clearTimeout(unanswered);
    unanswered = undefined;
    if (message.id === messageId.registerReply) {
      if (message.body[2] !== 0) refused++;
      else code = message.body.toString("utf8", 3);
      if (code !== undefined) authenticate();
      return;
    }
    if (message.id !== messageId.platformReply) return;
    const [to, id, result] = [message.body.readUInt16BE(0), message.body.readUInt16BE(2), message.body[4]];
    if (result !== 0) {
      refused++;
      return;
    }
    if (id === messageId.authenticate) ready = true;
    const answered = kept.findIndex((report) => report.serial === to);
    if (answered >= 0 && id === kept[answered]!.id) {
      kept.splice(answered, 1);
      acknowledged++;
    }
    if (kept.some((report) => report.serial !== undefined))
      unanswered = setTimeout(() => socket?.destroy(), replyMillis);
    pump();
  }

  function authenticate(): void {
    const text = Buffer.from(code!);
    const body =
      version === "2013" ? text : Buffer.concat([Buffer.of(text.length), text, Buffer.alloc(15 + 20)]);
    send(messageId.authenticate, body);
  }

  function dial(): void {
    if (!on) return;
    connections++;
    const mine = connect({ port, host: "127.0.0.1", noDelay: true });
    socket = mine;
    const splitter = new FrameSplitter();
    const heartbeat = setInterval(() => {
      if (ready) send(messageId.heartbeat, Buffer.alloc(0));
    }, heartbeatMillis);
    mine.on("connect", () => {
      if (code !== undefined) return authenticate();
      send(messageId.register, encodeRegistration(version, options.terminal ?? ""));
    });
    mine.on("data", (chunk) => {
      for (const found of splitter.push(chunk)) if (!(found instanceof Refusal)) take(found);
    });
    mine.on("error", () => {});
    mine.on("close", () => {
      clearInterval(heartbeat);
      // Switched off and on again: another connection has taken over.
      if (socket !== mine) return;
      clearTimeout(unanswered);
      unanswered = undefined;
      ready = false;
      for (const report of kept) delete report.serial;
      if (on) redial = setTimeout(dial, redialMillis);
    });
  }

  const keep = (id: number, body: Buffer) => {
    kept.push({ id, body });
    pump();
  };
  const switchOff = () => {
    on = false;
    ready = false;
    clearTimeout(redial);
    socket?.destroy();
  };

  dial();
  return {
    report: (location) => keep(messageId.location, encodeLocation(location)),
    reportBatch: (locations, kind) => keep(messageId.locationBatch, encodeBatch(locations, kind)),
    switchOff,
    switchOn() {
      if (on) return;
      on = true;
      // A terminal counts its messages from its start.
      serial = 0;
      for (const report of kept) delete report.serial;
      dial();
    },
    get acknowledged() {
      return acknowledged;
    },
    get refused() {
      return refused;
    },
    get connections() {
      return connections;
    },
    close: switchOff,
  };
}

/** A registration 0x0100 of a vehicle without a plate. */
export function encodeRegistration(version: Message["version"], terminal: string): Buffer {
  const [before, length] = version === "2013" ? [29, 7] : [45, 30];
  return Buffer.concat([Buffer.alloc(before), Buffer.from(terminal.padEnd(length, "\0")), Buffer.of(0)]);
}
