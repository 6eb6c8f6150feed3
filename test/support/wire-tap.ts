/** All that this process sends as an HTTP/2 client, before TLS: headers and data of every stream. */
import http2 from "node:http2";

export interface WireTap {
  /** One buffer a stream: its headers as JSON, then its data. */
  streams(): { readonly path: string; readonly bytes: Buffer }[];
  stop(): void;
}

interface Tapped {
  readonly path: string;
  readonly chunks: Buffer[];
}

type Written = Uint8Array | string | ((...args: never[]) => unknown) | undefined;

export function tapWire(): WireTap {
  const tapped: Tapped[] = [];
  const { connect } = http2;
  http2.connect = ((...args: Parameters<typeof connect>) => {
    const session = connect(...args);
    const request = session.request.bind(session);
    session.request = (headers, options) => {
      const stream = request(headers, options);
      const chunks = [Buffer.from(JSON.stringify(headers))];
      const fields = headers as http2.OutgoingHttpHeaders;
      tapped.push({ path: String(fields[":path"]), chunks });
      const note = (data: Written): void => {
        if (typeof data === "string" || data instanceof Uint8Array)
          chunks.push(Buffer.from(data as Uint8Array));
      };
      const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
      const end = stream.end.bind(stream) as (...args: unknown[]) => typeof stream;
      stream.write = ((...args: [Written]) => {
        note(args[0]);
        return write(...args);
      }) as typeof stream.write;
      stream.end = ((...args: [Written]) => {
        note(args[0]);
        return end(...args);
      }) as typeof stream.end;
      return stream;
    };
    return session;
  }) as typeof connect;
  return {
    streams: () => tapped.map(({ path, chunks }) => ({ path, bytes: Buffer.concat(chunks) })),
    stop() {
      http2.connect = connect;
    },
  };
}
