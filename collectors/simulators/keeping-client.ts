import { connect, type Socket } from "node:net";

export interface KeepingClientOptions {
  readonly port: number;
  /** Sent at the beginning of each connection. */
  readonly hello?: Buffer;
  /** Whether what has come since the last answer holds one, to the message under way. */
  readonly answers: (received: Buffer) => boolean;
  readonly timeoutMillis?: number;
}

export interface KeepingClient {
  readonly acknowledged: number;
  send(message: Buffer): void;
  switchOff(): void;
  switchOn(): void;
}

/** A device that dials, and keeps each message and sends it again until it is answered; one at a time, in order. */
export function startKeepingClient(options: KeepingClientOptions): KeepingClient {
  const { port, hello, answers, timeoutMillis = 2_000 } = options;
  const waiting: Buffer[] = [];
  let acknowledged = 0;
  let on = true;
  let socket: Socket | undefined;
  let greeted = false;
  let received = Buffer.alloc(0);
  let timer: NodeJS.Timeout | undefined;

  function dial(): void {
    if (!on) return;
    greeted = hello === undefined;
    received = Buffer.alloc(0);
    const mine = connect(port, "127.0.0.1");
    socket = mine;
    mine.on("error", () => {});
    mine.on("connect", sendNext);
    mine.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (!answers(received)) return;
      received = Buffer.alloc(0);
      if (greeted) {
        waiting.shift();
        acknowledged++;
      }
      greeted = true;
      sendNext();
    });
    mine.on("close", () => {
      clearTimeout(timer);
      if (socket !== mine) return;
      socket = undefined;
      setTimeout(dial, 20);
    });
  }

  function sendNext(): void {
    clearTimeout(timer);
    const next = greeted ? waiting[0] : hello;
    if (next === undefined || socket === undefined || socket.connecting) return;
    socket.write(next);
    const mine = socket;
    timer = setTimeout(() => mine.destroy(), timeoutMillis);
  }

  dial();
  return {
    get acknowledged() {
      return acknowledged;
    },
    send(message) {
      waiting.push(message);
      if (waiting.length === 1 && greeted) sendNext();
    },
    switchOff() {
      on = false;
      clearTimeout(timer);
      const mine = socket;
      socket = undefined;
      mine?.destroy();
    },
    switchOn() {
      if (on) return;
      on = true;
      dial();
    },
  };
}
