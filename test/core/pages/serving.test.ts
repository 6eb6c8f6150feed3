import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import test from "ava";
import type { Request } from "express";
import { mostConnections, openPages, sourceOf, wantedPath } from "../../../core/pages/serving.ts";

const from = (remoteAddress: string, forwarded?: string): string =>
  sourceOf({ headers: { "x-forwarded-for": forwarded }, socket: { remoteAddress } } as unknown as Request);

test("after signing in it goes on to a page of ours, whatever an address says", (t) => {
  for (const path of ["/cases/3", "/models/compare?a=1&b=2", "/"]) t.is(wantedPath(path, "/home"), path);
  for (const to of [
    ...["//evil.example/x", "/\\evil.example", "http://evil.example/", "javascript:alert(1)", "cases", ""],
    ...["/.//evil.example", "/\t/evil.example", "/a/..//evil.example", undefined, ["/a"], 7],
  ])
    t.is(wantedPath(to, "/home"), "/home", String(to));
  t.is(wantedPath("/a\r\nSet-Cookie: x=1", "/home"), "/aSet-Cookie:%20x=1");
});

test("whoever has a network of IPv6 is one place, however its addresses are written", (t) => {
  for (const address of ["2001:db8:1:2::1", "2001:0DB8:0001:0002:ffff::9", "2001:db8:1:2:3:4:5:6"])
    t.is(from(address), "2001:db8:1:2::/64", address);
  t.not(from("2001:db8:1:3::1"), from("2001:db8:1:2::1"));
  t.is(from("fe80::1%eth0"), "fe80:0:0:0::/64");
  t.is(from("::1", "2001:db8::7"), "2001:db8:0:0::/64", "as a proxy here says");
  t.is(from("203.0.113.7"), "203.0.113.7");
  t.is(from("::ffff:203.0.113.7"), "::ffff:203.0.113.7");
  t.not(from("::ffff:203.0.113.8"), from("::ffff:203.0.113.7"), "these are machines");
  t.is(from("203.0.113.7", "2001:db8::7"), "203.0.113.7", "who is not here says nothing for others");
});

test("more connections than a server of pages has room for are closed, and it waits for no request for ever", async (t) => {
  const server = createServer((_, response) => response.end("here"));
  const { address, close } = await openPages(server, "127.0.0.1:0", "page: ", "config_invalid");
  const port = Number(address.split(":")[1]);
  t.true(server.headersTimeout <= 15_000 && server.requestTimeout <= 60_000 && server.requestTimeout > 0);
  t.is(server.maxConnections, mostConnections);
  server.maxConnections = 3;
  const sockets: Socket[] = [];
  const opened = async (): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  };
  for (let i = 0; i < 3; i++) await opened();
  const refused = once(server, "drop");
  const last = await opened();
  await Promise.all([refused, once(last, "close")]);
  sockets[0]!.destroy();
  for (const socket of sockets) socket.destroy();
  await close();
  t.pass();
});
