/** Sign-in at the bank's OpenID Connect provider: authorization code with PKCE, state and nonce. */
import { readFile } from "node:fs/promises";
import type { Configuration } from "openid-client";
import { isLoopback } from "../../core/address.ts";
import { readRefusal } from "../../core/files.ts";
import { idPattern } from "../../core/ids.ts";
import { cookieIn } from "../../core/pages/serving.ts";
import { Refusal } from "../../core/reasons.ts";
import { type UserRole, userRoles } from "../authority/users.ts";
import type { Bank } from "../bank.ts";
import type { OidcConfig } from "../config.ts";

/** Where the provider sends people back to. */
export const returnPath = "/sign-in/done";

// Sent along when the provider sends somebody back, which a Strict cookie is not; it opens nothing by itself.
const cookieName = "__Host-fedcredit-sign-in";
const minutes = 10;
const cookie = (value: string, seconds: number): string =>
  `${cookieName}=${value}; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=${seconds}`;
/** Takes the cookie of a sign-in away. */
export const noSignIn = cookie("", 0);

/** Loaded where the bank has a provider. */
const library = () => import("openid-client");

/** Who somebody is, as the provider says. */
export interface Person {
  readonly user: string;
  /** Undefined where the provider gives none. */
  readonly role: UserRole | undefined;
}

export class Provider {
  readonly #bank: Bank;
  readonly #config: OidcConfig;
  #known: Promise<Configuration> | undefined;

  constructor(bank: Bank, config: OidcConfig) {
    this.#bank = bank;
    this.#config = config;
  }

  /** @returns where to send somebody, and the cookie that has to come back with them. @throws Refusal unavailable */
  async begin(): Promise<{ readonly address: string; readonly cookie: string }> {
    const [oidc, provider] = [await library(), await this.#discovered()];
    const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
    const address = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: this.#returnTo.href,
      scope: "openid profile email",
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    return { address: address.href, cookie: cookie(`${state}.${nonce}.${verifier}`, minutes * 60) };
  }

  /**
   * @param query - of the address that somebody was sent back to. @param cookies - of the same request
   * @returns who it is; undefined where this browser began no such sign-in, or the provider does not stand by it.
   * @throws Refusal unavailable
   */
  async finish(query: string, cookies: string | undefined): Promise<Person | undefined> {
    const [state, nonce, verifier] = (cookieIn(cookies, cookieName) ?? "").split(".");
    if (!state || !nonce || !verifier) return undefined;
    const [oidc, provider] = [await library(), await this.#discovered()];
    const address = this.#returnTo;
    address.search = query;
    try {
      const tokens = await oidc.authorizationCodeGrant(provider, address, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      return this.#person(tokens.claims() ?? {});
    } catch (error) {
      this.#bank.log.warn({ err: error }, "console: a sign-in at the provider did not hold");
      return undefined;
    }
  }

  #person(claims: Readonly<Record<string, unknown>>): Person | undefined {
    const { roleClaim, roles, userClaim } = this.#config;
    const said = [claims[roleClaim]].flat();
    const user = claims[userClaim];
    if (typeof user !== "string" || !idPattern.test(user)) {
      this.#bank.log.warn({ userClaim }, "console: the provider's claim names no user");
      return undefined;
    }
    return { user, role: userRoles.find((role) => roles[role].some((value) => said.includes(value))) };
  }

  get #returnTo(): URL {
    return new URL(returnPath, this.#config.address);
  }

  /** Asked once; again where it was not reached. */
  async #discovered(): Promise<Configuration> {
    this.#known ??= this.#discover();
    try {
      return await this.#known;
    } catch (error) {
      this.#known = undefined;
      if (error instanceof Refusal) throw error;
      throw new Refusal("unavailable", `the sign-in provider ${this.#config.issuer} was not reached`, {
        cause: error,
      });
    }
  }

  async #discover(): Promise<Configuration> {
    const oidc = await library();
    const { clientId, clientSecretFile, issuer } = this.#config;
    const secret =
      clientSecretFile === undefined
        ? undefined
        : (
            await readFile(clientSecretFile, "utf8").catch((cause: unknown) => {
              throw readRefusal(clientSecretFile, cause);
            })
          ).trim();
    const server = new URL(issuer);
    const authentication = secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret);
    const execute = [oidc.enableNonRepudiationChecks];
    if (server.protocol === "http:" && isLoopback(server.hostname)) execute.push(oidc.allowInsecureRequests);
    return oidc.discovery(server, clientId, undefined, authentication, { execute });
  }
}
