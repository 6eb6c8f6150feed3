/** A bank with its console, three enterprises that wait for studies, and one of each role who may sign in. */
import { type TOTP, URI } from "otpauth";
import type { NodeCredentials } from "../../client-node/federation/credentials.ts";
import { createSecrets, enrol } from "../../client-node/federation/enrol.ts";
import type { RunningNode } from "../../client-node/node.ts";
import type { UserRole } from "../../coordinator/authority/users.ts";
import type { CoordinatorConfig } from "../../coordinator/config.ts";
import { secureRandom } from "../../core/random.ts";
import { selectRows } from "../../models/rows.ts";
import type { StudyManifest } from "../../models/study.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { consortiumName, LocalBank, startEnterprise } from "../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "./rows.ts";

export const password = "correct horse battery";
export const hostile = `<img src=x onerror="window.stolen=1">"'&`;

const names = ["lathe", "mill", "truck"];
export const consoleUsers = { maria: "operator", li: "officer", anna: "auditor" } as const satisfies Record<
  string,
  UserRole
>;
export type ConsoleUser = keyof typeof consoleUsers;

/** What a browser keeps of a session, and what its forms carry. */
export interface SignedIn {
  readonly cookie: string;
  readonly token: string;
}

export class ConsoleStage {
  readonly bank: LocalBank;
  readonly url: string;
  readonly manifest: StudyManifest;
  /** By enterprise. */
  readonly credentials: ReadonlyMap<string, NodeCredentials>;
  readonly #nodes: readonly RunningNode[];
  readonly #codes: ReadonlyMap<string, TOTP>;
  readonly #taken = new Map<string, number>();
  readonly #end: () => Promise<void>;

  private constructor(of: {
    bank: LocalBank;
    manifest: StudyManifest;
    nodes: readonly RunningNode[];
    codes: ReadonlyMap<string, TOTP>;
    credentials: ReadonlyMap<string, NodeCredentials>;
    end: () => Promise<void>;
  }) {
    this.bank = of.bank;
    this.url = of.bank.coordinator.consoleUrl!;
    this.manifest = of.manifest;
    this.#nodes = of.nodes;
    this.#codes = of.codes;
    this.credentials = of.credentials;
    this.#end = of.end;
  }

  /**
   * @param enterprises - that run a node; by default all of them.
   * @param isHeld - whether a row is held out.
   */
  static async open(
    config: Partial<CoordinatorConfig> = {},
    enterprises = names,
    isHeld: (row: number) => boolean = () => false,
  ): Promise<ConsoleStage> {
    const bank = await LocalBank.start({
      console: { listen: "127.0.0.1:0", tls: "proxy", names: [] },
      ...config,
    });
    const codes = new Map<string, TOTP>();
    for (const [user, role] of Object.entries(consoleUsers))
      codes.set(user, URI.parse(await bank.operator.addUser(user, role, password)) as TOTP);
    const credentials = await bank.enrolAll(enterprises);
    // Named by somebody who would like to run in the bank's browser; it waits to be admitted.
    await enrol({
      consortium: consortiumName,
      enterprise: "stranger",
      address: bank.coordinator.enrolmentAddress,
      token: await bank.operator.createToken("stranger", hostile),
      secrets: await createSecrets(consortiumName, "stranger", secureRandom),
      now: Date.now(),
      beforeSend() {},
    });
    const base = studyOf(borrowerFeatures, [{ name: "range" }]);
    const bfv = await openBfv();
    const all = borrowers();
    const table = { ...all, holdout: all.holdout.map((_, row) => (isHeld(row) ? 1 : 0)) };
    const nodes: RunningNode[] = [];
    for (const [i, rows] of scatter(table.rows, enterprises.length, "console").entries()) {
      const mine = new Set(rows);
      const own = selectRows(table, (row) => mine.has(row));
      const manifest = { ...base, algorithms: allowed.map((name) => ({ name })) };
      nodes.push(await startEnterprise(bank, credentials.get(enterprises[i]!)!, manifest, own, bfv));
    }
    return new ConsoleStage({
      bank,
      manifest: base,
      nodes,
      codes,
      credentials,
      async end() {
        await Promise.all(nodes.map((node) => node.stop().catch(() => {})));
        await bfv.close();
        await bank.stop();
      },
    });
  }

  /** A code that was not taken yet: the one of now, then the next, which is taken a step too early. */
  code(user: string): string {
    const nth = this.#taken.get(user) ?? 0;
    this.#taken.set(user, nth + 1);
    return this.#codes.get(user)!.generate({ timestamp: Date.now() + nth * 30_000 });
  }

  async post(path: string, fields: Record<string, string>, cookie = ""): Promise<Response> {
    return fetch(new URL(path, this.url), {
      method: "POST",
      redirect: "manual",
      headers: { cookie },
      body: new URLSearchParams(fields),
    });
  }

  get(path: string, { cookie = "", language = "en" } = {}): Promise<Response> {
    return fetch(new URL(path, this.url), {
      redirect: "manual",
      headers: { cookie, accept: "text/html", "accept-language": language },
    });
  }

  async signIn(user: ConsoleUser): Promise<SignedIn> {
    const response = await this.post("/sign-in", { user, password, code: this.code(user) });
    const cookie = response.headers.get("set-cookie")?.split(";")[0];
    if (response.status !== 303 || cookie === undefined) throw new Error(`sign-in: ${response.status}`);
    const page = await (await this.get("/account", { cookie })).text();
    return { cookie, token: /name="token" value="([^"]+)"/.exec(page)![1]! };
  }

  /** Of lathe, mill and truck, in this order. */
  get nodes(): readonly RunningNode[] {
    return this.#nodes;
  }

  async consentAll(study: string): Promise<void> {
    for (const node of this.#nodes) await node.consent(study);
  }

  close(): Promise<void> {
    return this.#end();
  }
}

const allowed = ["range", "summary", "bins", "woe", "scorecard", "logistic", "evaluate", "drift"];
