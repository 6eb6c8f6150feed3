import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { Refusal } from "../../core/reasons.ts";
import type { Link } from "../runtime/supervise.ts";
import { Watchdog } from "../runtime/watchdog.ts";

/** What a protocol makes of one connection. */
export interface Conversation {
  /**
   * Called with what arrived, one call at a time: not reading on is how the peer is slowed.
   *
   * @returns whether any of it made sense; garbage is no sign of life.
   */
  receive(chunk: Buffer): Promise<boolean>;
  /** The socket is closed. */
  ended?(): void;
}

export interface ServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly silence: number;
  readonly maxConnections: number;
  /** Waits, within reason, until what was received is stored and acknowledged. */
  drained?(): Promise<void>;
}

/**
 * Listens until the link is stopped. The state is `running` while somebody is connected.
 *
 * @throws {Refusal} port_taken; otherwise {Error} where the port cannot be listened on.
 */
export async function serve(
  link: Link,
  options: ServerOptions,
  converse: (socket: Socket) => Conversation,
): Promise<void> {
  if (link.signal.aborted) return;
  const open = new Map<Socket, Promise<void>>();
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: 60_000, noDelay: true }, (socket) => {
    const done = talk(link, options.silence, socket, converse(socket)).finally(() => {
      open.delete(socket);
      if (open.size === 0) link.disconnected();
    });
    open.set(socket, done);
  });
  server.maxConnections = options.maxConnections;
  const stopped = new Promise<void>((resolve) =>
    link.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  const failed = new Promise<never>((_, reject) => server.once("error", reject));
  failed.catch(() => {});
  server.listen(options.listen);
  try {
    await Promise.race([once(server, "listening"), failed]);
    await Promise.race([stopped, failed]);
    await options.drained?.();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE")
      throw new Refusal("port_taken", `${options.listen.host}:${options.listen.port} is in use`, {
        cause: error,
      });
    throw error;
  } finally {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    for (const socket of open.keys()) {
      // Replies written a moment ago still leave; a peer that does not read is not waited for.
      socket.destroySoon();
      if (socket.writableLength > 0) setTimeout(() => socket.destroy(), 200).unref();
    }
    await Promise.all(open.values());
    await closed;
  }
}

async function talk(link: Link, silence: number, socket: Socket, conversation: Conversation): Promise<void> {
  let busy = false;
  // A connection that we ourselves do not read from, because the store is behind, is not silent.
  const watchdog = new Watchdog(silence, () => {
    if (busy) return watchdog.feed();
    link.failed(new Error(`a connection was silent for ${Math.round(silence / 1000)} s`));
    socket.destroy();
  });
  socket.on("error", () => {});
  try {
    for await (const chunk of socket) {
      if (link.signal.aborted) {
        // Left to the peer to send again. Leaving the loop would close the socket, and with it the replies.
        await once(socket, "close");
        return;
      }
      busy = true;
      const alive = await conversation.receive(chunk as Buffer);
      busy = false;
      if (alive) watchdog.feed();
    }
  } catch (error) {
    const closedByUs = (error as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE";
    if (!link.signal.aborted && !closedByUs) link.failed(error);
  } finally {
    watchdog.stop();
    socket.destroy();
    conversation.ended?.();
  }
}
