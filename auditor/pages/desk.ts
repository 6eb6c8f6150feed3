/** The auditor's pages: a log that was verified, for people. They change nothing, and only this machine reaches them. */
import { createServer } from "node:http";
import type { Express, NextFunction, Request, Response } from "express";
import { isLoopback, splitAddress } from "../../core/address.ts";
import { pageDocument } from "../../core/pages/document.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { languageLinks, localesOf, serveLanguages } from "../../core/pages/locale.ts";
import { openPages, pageApplication, serveAssets } from "../../core/pages/serving.ts";
import { Refusal } from "../../core/reasons.ts";
import { tell } from "../../core/terminal.ts";
import { dayOf, periodOf } from "../report/account.ts";
import { reportDocument } from "../report/document.ts";
import { reportOf } from "../report/gather.ts";
import { type Asked, type Locale, placeIn, type View } from "./asked.ts";
import { browserModules } from "./browser-code.ts";
import { entryView } from "./entry.ts";
import { desensitizationView, privacyView, roundsView } from "./figures.ts";
import type { ShownLog } from "./shown-log.ts";
import { timelineView } from "./timeline.ts";
import { receiptsView, reportView, verificationView } from "./verification.ts";
import { en, type Words, zh } from "./words.ts";

const localeFor = localesOf<Words>({ en, zh });

const places = [
  ["/timeline", "timeline"],
  ["/verification", "verification"],
  ["/privacy", "privacy"],
  ["/rounds", "rounds"],
  ["/desensitization", "desensitization"],
  ["/receipts", "receipts"],
  ["/report", "report"],
] as const satisfies readonly (readonly [path: string, name: keyof Words])[];

/** @returns the application with all its routes. */
export function auditorPages(log: ShownLog): Express {
  const app = pageApplication();
  // A name that somebody else's DNS points here must not read pages that trust whoever reaches them.
  app.use((request, response, next) => {
    if (isLoopback(request.hostname)) next();
    else response.status(421).type("text").send("Misdirected\n");
  });
  serveAssets(app);
  serveLanguages(app, "/timeline");
  for (const [path, text] of browserModules())
    app.get(path, (_, response) => void response.type("text/javascript").send(text));

  const asked = (request: Request): Asked => ({
    log,
    locale: localeFor(request),
    query: Object.fromEntries(
      Object.entries(request.query).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
    ),
    params: request.params as Record<string, string>,
  });
  const send = (request: Request, response: Response, view: View): void => {
    const frame = layout(view, request.path, localeFor(request), log.report.log.origin);
    response
      .status(view.status ?? 200)
      .vary("Accept-Language")
      .send(frame.text);
  };
  const show = (path: string, view: (of: Asked) => View | undefined | Promise<View | undefined>): void => {
    app.get(path, async (request, response, next) => {
      const found = await view(asked(request));
      if (found === undefined) next();
      else send(request, response, found);
    });
  };
  app.get("/", (_, response) => response.redirect(303, "/timeline"));
  show("/timeline", timelineView);
  show("/entries/:index", entryView);
  show("/verification", verificationView);
  show("/privacy", privacyView);
  show("/rounds", roundsView);
  show("/desensitization", desensitizationView);
  show("/receipts", receiptsView);
  show("/report", reportView);
  app.get("/report.html", async (request, response) => {
    const { query } = asked(request);
    const [from, to] = [dayIn(query.from), dayIn(query.until)];
    const { bank, ledgers, policy } = log.files;
    const isWhole = from === undefined && to === undefined;
    const report = isWhole
      ? log.report
      : await reportOf(bank, ledgers, policy, periodOf(from, to), Date.now());
    // It is one file that carries its own style, and no script at all.
    response
      .set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
      .send(reportDocument(report));
  });
  downloads(app, log);
  app.use((request, response) => {
    const { words } = localeFor(request);
    send(request, response, { title: words.notFound, body: words.noSuchPage, status: 404 });
  });
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    const { words } = localeFor(request);
    if (error instanceof Refusal) {
      const body = html`<p class="alarm" role="alert"><span lang="en">${error.message}</span> <code>${error.reason}</code></p>`;
      return send(request, response, {
        title: words.refused,
        body,
        status: error.reason === "not_found" ? 404 : 400,
      });
    }
    const status = Number((error as { status?: unknown }).status);
    if (!(status >= 400 && status < 500)) tell(`${request.path}: ${(error as Error).message}`);
    send(request, response, {
      title: words.wentWrong,
      body: "",
      status: status >= 400 && status < 500 ? status : 500,
    });
  });
  return app;
}

function downloads(app: Express, log: ShownLog): void {
  app.get("/receipts/:index.tlog-proof", async (request, response, next) => {
    const index = placeIn(log, request.params.index);
    if (index === undefined) return next();
    const text = await log.receipt(index);
    response.attachment(`entry-${index}.tlog-proof`).type("text").send(text);
  });
  app.get("/log.policy", (_, response) => {
    response.attachment("log.policy").type("text").send(log.files.policyText);
  });
  app.get("/log.fcexport", async (_, response) => {
    response.attachment("log.fcexport").type("application/octet-stream");
    for await (const part of log.files.bank()) {
      if (response.destroyed) return;
      if (!response.write(part))
        await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
    }
    response.end();
  });
}

/** @returns the day of a form's field, none where it is empty. @throws Refusal usage */
function dayIn(text = ""): number | undefined {
  if (text === "") return undefined;
  const day = dayOf(text);
  if (day === undefined) throw new Refusal("usage", "not a date as 2026-03-31");
  return day;
}

function layout(view: View, path: string, { tag, language, words }: Locale, origin: string): Html {
  const here = (place: string): Html | false =>
    (path === place || (place === "/timeline" && path.startsWith("/entries/"))) && html` aria-current="page"`;
  return pageDocument({
    tag,
    title: view.title,
    owner: origin,
    what: words.desk,
    skip: words.skip,
    navigation: html`<nav aria-label="${words.pages}"><ul>
${places.map(([place, name]) => html`<li><a href="${place}"${here(place)}>${words[name]}</a></li>\n`)}</ul></nav>`,
    side: languageLinks(words.language, language),
    body: view.body,
    ...(view.module === undefined ? {} : { module: view.module }),
  });
}

export interface RunningPages {
  readonly url: string;
  close(): Promise<void>;
}

/** @param listen - host:port on this machine; port 0 takes a free one. @throws Refusal usage, port_taken */
export async function startAuditorPages(log: ShownLog, listen: string): Promise<RunningPages> {
  if (!isLoopback(splitAddress(listen).host))
    throw new Refusal(
      "usage",
      `${listen} can be reached by others, and these pages ask nobody who they are`,
      {
        hint: "listen on 127.0.0.1, and reach it from elsewhere through an SSH tunnel",
      },
    );
  const { address, close } = await openPages(createServer(auditorPages(log)), listen, "", "usage");
  return { url: `http://${address}/`, close };
}
