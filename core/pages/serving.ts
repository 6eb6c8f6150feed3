/** What every page that is served from here has in common: its headers, its files, and whom it believes. */
import { readFileSync } from "node:fs";
import express, { type Express, type Request } from "express";
import helmet from "helmet";
import { isLoopback } from "../address.ts";
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

/** Where a request comes from; a proxy on this machine says it in its header's last entry, and only it is believed. */
export function sourceOf({ headers, socket: { remoteAddress = "" } }: Request): string {
  const forwarded = String(headers["x-forwarded-for"] ?? "")
    .split(",")
    .at(-1)!
    .trim();
  return forwarded !== "" && isLoopback(remoteAddress.replace(/^::ffff:/, "")) ? forwarded : remoteAddress;
}

/** @returns a cookie of a request. */
export const cookieIn = (cookies: string | undefined, wanted: string): string | undefined =>
  cookies
    ?.split(";")
    .map((part) => part.trim().split("="))
    .find(([name]) => name === wanted)?.[1];
