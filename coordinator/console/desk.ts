/** The console's routes. Nothing is reached here without a session, and nothing is changed without its form and role. */
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { serveLanguages } from "../../core/pages/locale.ts";
import {
  pageApplication,
  serveAssets,
  signInAddress,
  sourceOf,
  wantedPath,
} from "../../core/pages/serving.ts";
import { Refusal } from "../../core/reasons.ts";
import type { UserRole } from "../authority/users.ts";
import type { Bank } from "../bank.ts";
import type { Participants } from "../rounds/participants.ts";
import { type Asked, Fields } from "./asked.ts";
import { layout, type View } from "./frame.ts";
import { type Locale, localeFor } from "./locale.ts";
import { noSignIn, Provider, returnPath } from "./provider.ts";
import { refusalView } from "./refusal.ts";
import { isOwnForm, type Session, Sessions } from "./sessions.ts";
import { signedInView, signInView, vouchedSignInView } from "./sign-in.ts";

const statusOfReason: Readonly<Record<string, number>> = {
  not_found: 404,
  role_denied: 403,
  rate_limited: 429,
  unavailable: 503,
  database_unavailable: 503,
};

/** Where somebody begins who asked for no other page. */
const home = "/studies";

const sessionOf = (response: Response): Session => response.locals.session as Session;

export class Desk {
  readonly app: Express;
  readonly sessions: Sessions;
  readonly #bank: Bank;
  readonly #participants: Participants;

  constructor(bank: Bank, participants: Participants) {
    this.#bank = bank;
    this.#participants = participants;
    this.sessions = new Sessions(bank);
    this.app = pageApplication();
    serveAssets(this.app);
    this.app.use(express.urlencoded({ extended: false, limit: "256kb" }));
    this.#publicRoutes();
    this.app.use((request, response, next) => this.#admit(request, response, next));
    this.app.post("/sign-out", (request, response) => {
      response.set("Set-Cookie", this.sessions.signOut(request.headers.cookie)).redirect(303, "/sign-in");
    });
  }

  /** A page. @param view - undefined where there is no such thing. */
  show(path: string, view: (asked: Asked) => View | undefined | Promise<View | undefined>): void {
    this.app.get(path, async (request, response, next) => {
      const found = await view(this.#asked(request, response));
      if (found === undefined) next();
      else this.#send(request, response, found);
    });
  }

  /** Something that changes. @param act - returns the page to go to, or the one to show. */
  act(
    path: string,
    roles: readonly UserRole[],
    act: (asked: Asked, form: Fields) => Promise<string | View>,
  ): void {
    this.app.post(path, async (request, response) => {
      const { user, role } = sessionOf(response);
      if (!roles.includes(role)) throw new Refusal("role_denied", `${role}: ${path}`);
      const next = await act(this.#asked(request, response), new Fields(request.body));
      this.#bank.log.info({ user, role, path: request.path }, "console order");
      if (typeof next === "string") response.redirect(303, next);
      else this.#send(request, response, next);
    });
  }

  /** Something else than a page: a download, a stream. */
  serve(path: string, serve: (asked: Asked, response: Response) => Promise<void>): void {
    this.app.get(path, (request, response) => serve(this.#asked(request, response), response));
  }

  /** After every other route. */
  finish(): Express {
    this.app.use((request, response) => {
      const { words } = localeFor(request);
      this.#send(request, response, { title: words.notFound, body: words.noSuchPage, status: 404 });
    });
    this.app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
      if (response.headersSent) return next(error);
      const { words } = localeFor(request);
      if (error instanceof Refusal) {
        const status = statusOfReason[error.reason] ?? 400;
        return this.#send(request, response, { ...refusalView(error, localeFor(request)), status });
      }
      const status = Number((error as { status?: unknown }).status);
      // What the body's reader says of a form that it cannot read, or an address that cannot be decoded.
      if (status >= 400 && status < 500)
        return this.#send(request, response, { title: words.wentWrong, body: words.badForm, status });
      this.#bank.log.error({ err: error, path: request.path }, "console page failed");
      this.#send(request, response, { title: words.wentWrong, body: words.seeLog, status: 500 });
    });
    return this.app;
  }

  #publicRoutes(): void {
    serveLanguages(this.app, home);
    const { oidc } = this.#bank.config.console ?? {};
    this.app.get("/sign-in", (request, response) => {
      const to = wantedPath(request.query.to, home);
      if (this.sessions.find(request.headers.cookie) !== undefined) return response.redirect(303, to);
      this.#send(request, response, this.#signIn(localeFor(request), to));
    });
    if (oidc === undefined) this.#passwordRoutes();
    else this.#providerRoutes(new Provider(this.#bank, oidc));
  }

  #signIn(locale: Locale, to: string): View {
    return this.#bank.config.console?.oidc === undefined ? signInView(locale, to) : vouchedSignInView(locale);
  }

  #passwordRoutes(): void {
    this.app.post("/sign-in", async (request, response) => {
      const form = new Fields(request.body);
      const given = {
        user: form.text("user"),
        password: form.all("password")[0] ?? "",
        code: form.text("code"),
      };
      const to = wantedPath(form.text("to"), home);
      const outcome = await this.sessions.signIn(given, sourceOf(request));
      if (typeof outcome === "object") return response.set("Set-Cookie", outcome.cookie).redirect(303, to);
      this.#send(request, response, signInView(localeFor(request), to, outcome));
    });
  }

  #providerRoutes(provider: Provider): void {
    this.app.get("/sign-in/begin", async (_, response) => {
      const { address, cookie } = await provider.begin();
      response.set("Set-Cookie", cookie).redirect(303, address);
    });
    this.app.get(returnPath, async (request, response) => {
      const query = request.originalUrl.slice(request.path.length);
      const person = await provider.finish(query, request.headers.cookie);
      const cookie = person && (await this.sessions.vouched(person, sourceOf(request)));
      response.append("Set-Cookie", noSignIn);
      if (cookie === undefined)
        return this.#send(request, response, vouchedSignInView(localeFor(request), "refused"));
      // A browser that comes from elsewhere brings no Strict cookie, not even over a redirect: this page goes on.
      response.append("Set-Cookie", cookie).set("Refresh", "0; url=/studies");
      this.#send(request, response, signedInView(localeFor(request)));
    });
  }

  #admit(request: Request, response: Response, next: NextFunction): void {
    const session = this.sessions.find(request.headers.cookie);
    const reads = request.method === "GET" || request.method === "HEAD";
    if (session === undefined) {
      if (!request.accepts("html")) response.status(401).end();
      else if (reads) response.redirect(303, signInAddress("/sign-in", request));
      else this.#send(request, response, { ...this.#signIn(localeFor(request), home), status: 401 });
      return;
    }
    response.locals.session = session;
    const { token } = (request.body ?? {}) as { token?: unknown };
    if (reads || isOwnForm(session, token)) {
      next();
      return;
    }
    const { words } = localeFor(request);
    this.#send(request, response, { title: words.wentWrong, body: words.foreignForm, status: 403 });
  }

  #asked(request: Request, response: Response): Asked {
    return {
      bank: this.#bank,
      participants: this.#participants,
      session: sessionOf(response),
      locale: localeFor(request),
      params: request.params as Record<string, string>,
      query: new Fields(request.query),
      sessions: this.sessions,
    };
  }

  #send(request: Request, response: Response, view: View): void {
    const frame = {
      consortium: this.#bank.config.consortium,
      path: request.path,
      locale: localeFor(request),
      session: response.locals.session as Session | undefined,
    };
    response
      .status(view.status ?? 200)
      .vary("Accept-Language")
      .send(layout(view, frame).text);
  }
}
