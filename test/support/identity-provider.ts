/** An OpenID Connect provider on this machine, by the reference implementation that OpenID certified. */
import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import Oidc from "oidc-provider";
import { freePort } from "./collecting.ts";

export const clientId = "fedcredit-console";
export const clientSecret = "a secret of the console at its provider";

/** What the provider says of somebody. */
export interface Vouched {
  readonly person: string;
  readonly groups: readonly string[];
}

export class IdentityProvider {
  readonly issuer: string;
  /** Who sits before the browser; nobody signs in without. */
  who: Vouched | undefined;
  readonly #server: Server;
  readonly #oidc: Oidc;

  private constructor(issuer: string, returnTo: string) {
    this.issuer = issuer;
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#oidc = new Oidc(issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [returnTo],
          token_endpoint_auth_method: "client_secret_basic",
          id_token_signed_response_alg: "ES256",
        },
      ],
      jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256" }] },
      cookies: { keys: ["a key of this test's provider"] },
      claims: { openid: ["sub", "person", "groups"], profile: [], email: [] },
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      pkce: { required: () => true },
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, ...JSON.parse(Buffer.from(id, "base64url").toString()) }),
      }),
    });
    const answer = this.#oidc.callback();
    this.#server = createServer((request, response) => {
      if (!request.url!.startsWith("/interaction/")) return answer(request, response);
      this.#interact(request, response).catch(() => response.writeHead(500).end());
    });
  }

  /** @param host - of its address. @param returnTo - where it may send people back to */
  static async start(host: string, returnTo: string): Promise<IdentityProvider> {
    const port = await freePort();
    const provider = new IdentityProvider(`http://${host}:${port}`, returnTo);
    await new Promise<void>((resolve) => provider.#server.listen(port, "127.0.0.1", resolve));
    return provider;
  }

  /** Whoever sits there signs in, and agrees. */
  async #interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const oidc = this.#oidc;
    const { params, prompt, session } = await oidc.interactionDetails(request, response);
    if (this.who === undefined)
      return oidc.interactionFinished(request, response, { error: "access_denied" });
    const accountId = session?.accountId ?? Buffer.from(JSON.stringify(this.who)).toString("base64url");
    if (prompt.name === "login") return oidc.interactionFinished(request, response, { login: { accountId } });
    const grant = new oidc.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope("openid profile email");
    return oidc.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
