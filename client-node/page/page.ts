import { existsSync } from "node:fs";
import { createServer } from "node:http";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { isLoopback, splitAddress } from "../../core/address.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { serveLanguages } from "../../core/pages/locale.ts";
import { note } from "../../core/pages/parts.ts";
import { refusalText } from "../../core/pages/refusal.ts";
import {
  openPages,
  pageApplication,
  serveAssets,
  signInAddress,
  sourceOf,
  wantedPath,
} from "../../core/pages/serving.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { usualTable } from "../../models/study.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { isAccounted } from "../ledger/recoveries.ts";
import type { Operations } from "../operations/operations.ts";
import { policyOf } from "../policy.ts";
import type { PolicyFile } from "../policy-file.ts";
import { readPeople, Sessions } from "./access.ts";
import { Approvals } from "./approvals.ts";
import { Bank, type BankOptions } from "./bank.ts";
import { budgetView } from "./budget.ts";
import { type Decisions, decisionPages, ownForms, ownPosts, studyDecisions } from "./decisions.ts";
import { liveTexts } from "./devices.ts";
import { egressView, entryView } from "./egress.ts";
import { featuresView } from "./features.ts";
import { firstView, nextSteps } from "./first-view.ts";
import { layout, type View } from "./layout.ts";
import { LiveStreams } from "./live-streams.ts";
import { type Locale, localeFor } from "./locale.ts";
import { loginPage } from "./login.ts";
import { modelView } from "./model.ts";
import { type PolicyDesk, policyDecision, policyPages, policyView } from "./policy.ts";
import { policyEffect } from "./policy-effect.ts";
import { qualityView } from "./quality.ts";
import { standingView } from "./standing.ts";
import { studiesView } from "./studies.ts";
import { warningsView } from "./warnings.ts";

/** What a member of a consortium has beside its devices. */
export interface Membership extends BankOptions {
  readonly ledger: EgressLedger;
  readonly policyFile: PolicyFile;
  /** Absent where nothing can be decided here. */
  readonly decisions?: Decisions;
  /** host:port of the bank's coordinator. */
  readonly coordinator: string;
}

/** What the page shows, and of whom. */
export interface PageOptions {
  /** host:port; port 0 takes a free one. */
  readonly listen: string;
  /** The password's hash; needed unless only this machine can reach the page, and asked for wherever it is there. */
  readonly passwordFile: string;
  readonly enterprise: string;
  /** The node's folder, as commands name it. */
  readonly dir: string;
  /** Absent where the node has no collectors. */
  readonly operations?: Operations;
  /** Absent where the enterprise belongs to no consortium. */
  readonly member?: Membership;
  readonly random: Random;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  log(level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>): void;
}

export interface RunningPage {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves the enterprise's page.
 * @throws Refusal config_invalid where others could reach it without a password; port_taken, file_malformed
 */
export async function startPage(options: PageOptions): Promise<RunningPage> {
  const { listen } = options;
  const local = isLoopback(splitAddress(listen).host);
  const hasPassword = existsSync(options.passwordFile);
  if (!local && !hasPassword)
    throw new Refusal("config_invalid", `page: ${listen} can be reached by others, and no password is set`, {
      hint: "run fedcredit node password, or listen on 127.0.0.1",
    });
  if (!local)
    options.log(
      "warn",
      "the page speaks plain HTTP: put a TLS proxy in front of it, or the line can be read",
      {
        listen,
      },
    );
  const { app, end } = enterprisePages(options);
  const { address, close } = await openPages(createServer(app), listen, "page: ", "config_invalid");
  return {
    url: `http://${address}/`,
    async stop() {
      end();
      await close();
    },
  };
}

/** @returns the application with all its routes, and what ends its streams. @throws Refusal file_malformed */
export function enterprisePages(options: PageOptions): { app: Express; end(): void } {
  const { listen, member, now, operations, enterprise } = options;
  const local = isLoopback(splitAddress(listen).host);
  const hasPassword = existsSync(options.passwordFile);
  const sessions = hasPassword
    ? new Sessions(readPeople(options.passwordFile), now, options.random)
    : undefined;
  const streams = new LiveStreams(operations);
  const bank = member && new Bank(member);

  const app = pageApplication();
  // A name that somebody else's DNS points here must not read a page that trusts whoever reaches it.
  app.use((request, response, next) => {
    if (local && !isLoopback(request.hostname))
      return void response.status(421).type("text").send("Misdirected\n");
    next();
  });
  serveAssets(app);
  serveLanguages(app, "/");

  if (sessions !== undefined) {
    app.get(
      "/login",
      (request, response) =>
        void response.send(
          loginPage(enterprise, localeFor(request), sessions.hasNames, wantedPath(request.query.to, "/"))
            .text,
        ),
    );
    app.post("/login", express.urlencoded({ extended: false, limit: "4kb" }), async (request, response) => {
      const { password, name, to } = (request.body ?? {}) as Record<string, unknown>;
      const wanted = wantedPath(to, "/");
      const text = (value: unknown): string => (typeof value === "string" ? value : "");
      const outcome = await sessions.login(text(password), sourceOf(request), text(name).trim());
      if (typeof outcome === "object")
        return void response.set("Set-Cookie", outcome.cookie).redirect(303, wanted);
      response
        .status(outcome === "wrong" ? 401 : 429)
        .send(loginPage(enterprise, localeFor(request), sessions.hasNames, wanted, outcome).text);
    });
    app.use((request, response, next) => {
      if (sessions.personOf(request.headers.cookie) !== undefined) next();
      else if (!request.accepts("html") || request.path === "/live") response.status(401).end();
      else if (request.method === "GET") response.redirect(303, signInAddress("/login", request));
      else response.status(401).send(loginPage(enterprise, localeFor(request), sessions.hasNames, "/").text);
    });
  }

  const forms = ownForms(options.random, ({ headers }) => sessions?.idOf(headers.cookie) ?? "");
  const logOutOf = (request: Request): Html | undefined => {
    const person = sessions?.personOf(request.headers.cookie);
    const { words } = localeFor(request);
    return person === undefined
      ? undefined
      : forms.formFor(request)("/logout", html`${words.logOut} <span class="aside">${person}</span>`);
  };
  const send = (request: Request, response: Response, view: View): void => {
    const frame = {
      enterprise,
      path: `/${request.path.split("/")[1]}`,
      locale: localeFor(request),
      openWarnings: operations?.findings.countWarnings().open,
      logOut: logOutOf(request),
    };
    response.vary("Accept-Language").send(layout(view, frame).text);
  };
  const show = (
    path: string,
    view: (request: Request, locale: Locale) => View | undefined | Promise<View | undefined>,
  ): void => {
    app.get(path, async (request, response, next) => {
      const found = await view(request, localeFor(request));
      if (found === undefined) next();
      else send(request, response, found);
    });
  };
  const ofOperations =
    (title: Titles, view: (operations: Operations, locale: Locale, request: Request) => View) =>
    (request: Request, locale: Locale): View =>
      operations === undefined
        ? { title: locale.words[title], body: note(locale.words.noCollectors) }
        : view(operations, locale, request);

  const approvals = new Approvals(now);
  show("/", async (request, locale) => {
    const studies = await bank?.known();
    const steps = nextSteps({ dir: options.dir, operations, member, studies }, locale);
    const standing = standingView(
      { operations, member, studies, missing: steps.length, waiting: approvals.size, now: now() },
      locale,
    );
    return firstView(steps, standing, operations, pageOf(request), now() * 1000, locale);
  });
  show(
    "/quality",
    ofOperations("quality", (of, locale) => qualityView(of.findings, locale)),
  );
  show(
    "/features",
    ofOperations("features", (of, locale, { query }) => featuresView(of, textsIn(query), locale)),
  );
  show(
    "/warnings",
    ofOperations("warnings", (of, locale, request) => warningsView(of, pageOf(request), locale)),
  );
  const ofMember =
    (
      title: Titles,
      view: (
        of: Membership,
        bank: Bank,
        locale: Locale,
        request: Request,
      ) => View | undefined | Promise<View | undefined>,
    ) =>
    (request: Request, locale: Locale) =>
      member === undefined || bank === undefined
        ? { title: locale.words[title], body: note(locale.words.noConsortium) }
        : view(member, bank, locale, request);
  show(
    "/egress",
    ofMember("egress", ({ ledger }, _, locale, request) => egressView(ledger, pageOf(request), locale)),
  );
  show(
    "/egress/:position",
    ofMember("egress", ({ ledger }, _, locale, { params }) => {
      const position = Number(params.position);
      return Number.isSafeInteger(position) && position >= 0
        ? entryView(ledger, position, locale)
        : undefined;
    }),
  );
  // Without a password everybody on this machine reaches the page, and not everybody decides.
  const decisions = sessions && member?.decisions;
  const personOf = (request: Request): string => sessions?.personOf(request.headers.cookie) ?? "";
  show(
    "/studies",
    ofMember("studies", async (of, asked, locale, request) =>
      studiesView(
        await asked.studies(),
        now(),
        locale,
        decisions && studyDecisions(of, forms.formFor(request), locale, approvals, personOf(request)),
      ),
    ),
  );
  const mayPost = ownPosts(forms, send);
  if (sessions !== undefined)
    app.post("/logout", express.urlencoded({ extended: false, limit: "4kb" }), (request, response) => {
      if (!mayPost(request, response)) return;
      response.set("Set-Cookie", sessions.logout(request.headers.cookie)).redirect(303, "/login");
    });
  if (decisions !== undefined && member !== undefined)
    decisionPages(app, {
      decisions,
      approvals,
      personOf,
      people: () => member.policy().people ?? 1,
      decided: () => bank?.forget(),
      formFor: forms.formFor,
      mayPost,
      send,
    });
  show(
    "/policy",
    ofMember("policy", ({ policyFile }, _, locale, request) =>
      policyView(
        policyFile,
        sessions && { form: forms.formFor(request), waiting: approvals.waiting(policyDecision) },
        locale,
      ),
    ),
  );
  if (sessions !== undefined && member !== undefined && bank !== undefined) {
    const { db, ledger, policyFile } = member;
    const effect: PolicyDesk["effect"] = async (before, after) =>
      policyEffect(before, after, await bank.studies(), db, now());
    const { formFor } = forms;
    const desk = { file: policyFile, formFor, approvals, personOf, effect, db, ledger, enterprise, now };
    policyPages(app, desk, mayPost, send);
  }
  show(
    "/budget",
    ofMember("budget", ({ db, ledger, policy: read }, of, locale) => {
      const policy = read();
      const tables = [usualTable, ...Object.keys(policy.tables ?? {})].map((table) => {
        const { maxEpsilon } = policyOf(policy, table);
        const { delta } = maxEpsilon;
        const overTime = delta === undefined ? [] : ledger.spendingOverTime(table, delta);
        return { table, maxEpsilon, overTime };
      });
      return budgetView(ledger.spends(), tables, of.names(), isAccounted(db), locale);
    }),
  );
  show(
    "/model",
    ofMember("model", async (_, of, locale) => {
      const { models, unreachable } = await of.models();
      return modelView(models, unreachable, locale);
    }),
  );
  app.get("/live", (request, response) => {
    const locale = localeFor(request);
    streams.open(response, () =>
      operations === undefined ? {} : liveTexts(operations, pageOf(request), now() * 1000, locale),
    );
  });
  app.use((request, response) => {
    const { words } = localeFor(request);
    response.status(404);
    send(request, response, { title: words.notFound, body: note(words.noSuchPage) });
  });
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    options.log("error", "page", { path: request.path, cause: (error as Error).message });
    if (response.headersSent) return next(error);
    const { language, words } = localeFor(request);
    const isRefusal = error instanceof Refusal;
    response.status(500);
    send(request, response, {
      title: isRefusal ? words.refused : words.wentWrong,
      body: isRefusal
        ? html`<p class="alarm" role="alert">${refusalText(error, language)}</p>`
        : note(words.seeLog),
    });
  });

  return { app, end: () => streams.close() };
}

type Titles = "quality" | "features" | "warnings" | "egress" | "studies" | "budget" | "model" | "policy";

const pageOf = ({ query }: Request): number => {
  const page = Number(query.page);
  return Number.isSafeInteger(page) && page > 0 ? page : 0;
};

const textsIn = (query: Request["query"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(query).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
