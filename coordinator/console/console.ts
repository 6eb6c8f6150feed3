/** The bank's console: pages of the running coordinator, for people who sign in. */
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import { openPages } from "../../core/pages/serving.ts";
import type { KeyPair } from "../authority/ca.ts";
import type { Bank } from "../bank.ts";
import type { ConsoleConfig } from "../config.ts";
import type { Participants } from "../rounds/participants.ts";
import { casePages } from "./cases.ts";
import { Desk } from "./desk.ts";
import { enterprisePages } from "./enterprises.ts";
import { everybody } from "./frame.ts";
import { liveStudies } from "./live.ts";
import { modelPages } from "./models.ts";
import { operationsPages } from "./operations.ts";
import { proposalPages } from "./proposal.ts";
import { accountView, changeOwnPassword } from "./sign-in.ts";
import { studyPages } from "./studies.ts";

export interface ConsoleParts {
  readonly bank: Bank;
  readonly participants: Participants;
  readonly isDraining: () => boolean;
}

export interface RunningConsole {
  readonly url: string;
  /** Meets connections from now on with another certificate. */
  useCertificate(server: KeyPair, authorityPem: string): void;
  close(): Promise<void>;
}

/** @returns the application with all its routes. */
export function consoleApplication({ bank, participants, isDraining }: ConsoleParts) {
  const desk = new Desk(bank, participants);
  desk.app.get("/", (_, response) => response.redirect(303, "/studies"));
  desk.show("/account", (asked) => accountView(asked));
  if (bank.config.console?.oidc === undefined) desk.act("/account/password", everybody, changeOwnPassword);
  // Before a study's own address: "new" is none.
  proposalPages(desk);
  studyPages(desk);
  modelPages(desk);
  casePages(desk);
  enterprisePages(desk);
  operationsPages(desk, isDraining);
  const streams = liveStudies(desk);
  return {
    app: desk.finish(),
    close(): void {
      streams.close();
      desk.sessions.close();
    },
  };
}

/** @throws Refusal port_taken, config_invalid */
export async function startConsole(
  { listen, tls }: ConsoleConfig,
  parts: ConsoleParts,
  server: { readonly pair: KeyPair; readonly authorityPem: string },
): Promise<RunningConsole> {
  const { app, close } = consoleApplication(parts);
  const options = ({ certificatePem, privateKeyPem }: KeyPair, authorityPem: string) => ({
    cert: `${certificatePem}\n${authorityPem}`,
    key: privateKeyPem,
    minVersion: "TLSv1.2" as const,
    handshakeTimeout: 15_000,
  });
  // Express' application is a listener; its type says so of http alone.
  const handler = app as RequestListener;
  const own =
    tls === "proxy"
      ? createServer(handler)
      : createTlsServer(options(server.pair, server.authorityPem), handler);
  const opened = await openPages(own, listen, "console: ", "config_invalid");
  return {
    url: `${tls === "proxy" ? "http" : "https"}://${opened.address}/`,
    useCertificate(pair, authorityPem) {
      if (own instanceof TlsServer) own.setSecureContext(options(pair, authorityPem));
    },
    async close() {
      close();
      await opened.close();
    },
  };
}
