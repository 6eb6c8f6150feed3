/** What every page that is served from here has in common: its headers, its files, and whom it believes. */
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import express, { type Express, type Request } from "express";
import helmet from "helmet";
import { isLoopback, splitAddress } from "../address.ts";
import { type Reason, Refusal } from "../reasons.ts";
import { liveScript } from "./live-script.ts";

const asset = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

/** @returns an application whose pages load nothing from elsewhere, are framed nowhere and kept by no cache. */
export function pageApplication(): Express {
  const app = express().disable("x-powered-by").disable("etag");
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          ...Object.fromEntries(
            ["scriptSrc", "styleSrc", "imgSrc", "connectSrc", "formAction"].map((name) => [name, ["'self'"]]),
          ),
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      strictTransportSecurity: false,
      // No address of a page goes to another origin; ours knows where to go back to.
      referrerPolicy: { policy: "same-origin" },
      xFrameOptions: { action: "deny" },
    }),
  );
  app.use((_, response, next) => {
    response.set("Cache-Control", "no-store");
    next();
  });
  return app;
}

/** Serves style, script and icon: what may be read without a session. */
export function serveAssets(app: Express): void {
  for (const [path, type, text] of [
    ["/style.css", "css", asset("style.css")],
    ["/live.js", "text/javascript", liveScript],
    ["/icon.svg", "svg", asset("icon.svg")],
  ] as const)
    app.get(path, (_, response) => void response.type(type).send(text));
}

/**
 * Where a request comes from; a proxy on this machine says it in its header's last entry, and only it is believed. Of IPv6
 * the first half: who has one such address has all 2⁶⁴ of its network, and would be somebody else with each guess.
 */
export function sourceOf({ headers, socket: { remoteAddress = "" } }: Request): string {
  const forwarded = String(headers["x-forwarded-for"] ?? "")
    .split(",")
    .at(-1)!
    .trim();
  const address =
    forwarded !== "" && isLoopback(remoteAddress.replace(/^::ffff:/, "")) ? forwarded : remoteAddress;
  return isIP(address) === 6 ? networkOf(address) : address;
}

function networkOf(address: string): string {
  // As a URL writes it: lower case, without leading zeros, an IPv4 end in groups of its own.
  const [before = "", after] = new URL(`http://[${address.split("%", 1)[0]}]/`).hostname
    .slice(1, -1)
    .split("::");
  const [left, right] = [before, after ?? ""].map((half) => half.split(":").filter((group) => group !== ""));
  const groups = [...left!, ...new Array<string>(8 - left!.length - right!.length).fill("0"), ...right!];
  // An IPv4 address in IPv6's form is one machine's.
  return groups.slice(0, 6).join() === "0,0,0,0,0,ffff" ? address : `${groups.slice(0, 4).join(":")}::/64`;
}

/** @returns a page of ours that somebody wanted before signing in; any other address is not followed. */
export function wantedPath(text: unknown, otherwise: string): string {
  const here = "http://page.invalid";
  if (typeof text !== "string" || !text.startsWith("/") || !URL.canParse(text, here)) return otherwise;
  const { origin, pathname, search } = new URL(text, here);
  // Two slashes would name another host.
  return origin !== here || pathname.startsWith("//") ? otherwise : pathname + search;
}

/** @returns the address of the page where people sign in, which goes on to what was asked for. */
export const signInAddress = (page: string, { originalUrl }: Request): string =>
  originalUrl === "/" ? page : `${page}?${new URLSearchParams({ to: originalUrl })}`;

/** @returns a cookie of a request. */
export const cookieIn = (cookies: string | undefined, wanted: string): string | undefined =>
  cookies
    ?.split(";")
    .map((part) => part.trim().split("="))
    .find(([name]) => name === wanted)?.[1];

/** Of one server: a page keeps a few open, and whoever only opens them shall not take the process's last file. */
export const mostConnections = 512;

/**
 * Opens a server of pages. It waits a while for a request, and no longer for one that does not come.
 * @param listen - host:port; port 0 takes a free one.
 * @param what - whose listening fails, in words. @param otherwise - why, where it is not that the port is taken.
 * @returns where it listens, an IPv6 host in brackets, and what ends it with all its connections.
 * @throws Refusal port_taken, and `otherwise`
 */
export async function openPages(
  server: Server,
  listen: string,
  what: string,
  otherwise: Reason,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const { host, port } = splitAddress(listen);
  server.maxConnections = mostConnections;
  server.headersTimeout = 15_000;
  server.requestTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "port_taken" : otherwise;
      reject(new Refusal(reason, `${what}${host}:${port}: ${error.code}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    address: `${host.includes(":") ? `[${host}]` : host}:${bound}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
