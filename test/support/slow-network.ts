import { connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

/**
 * A TCP proxy on loopback whose bytes arrive `delayMillis` later, each way, at any rate: a long fat network.
 * @returns its port, and how to end it.
 */
export async function slowNetwork(
  target: { readonly host: string; readonly port: number },
  delayMillis: number,
): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target.port, target.host);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      // Who cannot be reached is no open connection for whoever came this way.
      socket.on("error", () => [near, far].map((end) => end.destroy()));
      socket.once("close", () => sockets.delete(socket));
    }
    near.pipe(later(delayMillis)).pipe(far);
    far.pipe(later(delayMillis)).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Delays chunks without holding back the ones behind them. */
function later(millis: number): Transform {
  return new Transform({
    highWaterMark: 64 * 1024 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      setTimeout(() => this.push(chunk), millis);
      done();
    },
    flush(done) {
      setTimeout(done, millis);
    },
  });
}
