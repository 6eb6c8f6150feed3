/** Who is told of alarms, on loopback: over HTTP and by mail, each of which can be out of order. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ExecutionContext } from "ava";
import { SMTPServer } from "smtp-server";
import type { Alarm } from "../../auditor/alarms/delivery.ts";

export interface Posted {
  readonly body: string;
  readonly signature: string | undefined;
}

/** A receiver over HTTP. `is.asked` counts what came, taken or not. */
export async function webhookReceiver(t: ExecutionContext) {
  const got: Posted[] = [];
  const is = { broken: false, asked: 0 };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const signature = request.headers["x-fedcredit-signature"] as string | undefined;
    is.asked++;
    if (!is.broken) got.push({ body, signature });
    response.writeHead(is.broken ? 503 : 204).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got, is };
}

/** A mail server. @returns what alarms.yaml says of it, and the mails as they came. */
export async function mailReceiver(t: ExecutionContext) {
  const got: string[] = [];
  const is = { broken: false };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: async (stream, _session, callback) => {
      let mail = "";
      for await (const chunk of stream) mail += String(chunk);
      if (is.broken) return callback(new Error("no room"));
      got.push(mail);
      callback();
    },
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  const mail = {
    server: `smtp://127.0.0.1:${port}`,
    from: "log@auditor.example",
    to: ["duty@auditor.example"],
  };
  return { mail, got, is };
}

export const alarmsIn = (got: readonly Posted[]): Alarm[] => got.map(({ body }) => JSON.parse(body) as Alarm);
