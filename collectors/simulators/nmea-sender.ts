import { connect, type Socket } from "node:net";
import { checksumOf } from "../nmea.ts";

/** Completes `GPRMC,…` to a sentence: `$GPRMC,…*hh`. */
export const encodeSentence = (content: string): string =>
  `$${content}*${checksumOf(content).toString(16).toUpperCase().padStart(2, "0")}`;

export interface NmeaSenderOptions {
  readonly port: number;
  /** First line of a connection, as modems send to say who they are. */
  readonly registration?: string;
  /** Milliseconds between two looks at `sentences`. */
  readonly everyMillis: number;
  /** What the receiver says now, without line ends; nothing while it is switched off. */
  readonly sentences: () => readonly string[];
}

export interface NmeaSender {
  close(): void;
}

/** A satellite receiver behind a modem that dials the loopback interface; what it cannot send now is lost. */
export function startNmeaSender(options: NmeaSenderOptions): NmeaSender {
  const { port, registration, everyMillis, sentences } = options;
  let socket: Socket;
  let open = true;
  let connected = false;
  let redial: NodeJS.Timeout | undefined;

  function dial(): void {
    socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.on("connect", () => {
      connected = true;
      if (registration !== undefined) socket.write(`${registration}\r\n`);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      connected = false;
      if (open) redial = setTimeout(dial, 20);
    });
  }

  dial();
  const ticking = setInterval(() => {
    if (!connected || socket.writableNeedDrain) return;
    const lines = sentences();
    if (lines.length > 0) socket.write(lines.map((line) => `${line}\r\n`).join(""));
  }, everyMillis);
  return {
    close() {
      open = false;
      clearInterval(ticking);
      clearTimeout(redial);
      socket.destroy();
    },
  };
}
