/** As much of openid-client as the console calls. */
declare module "openid-client" {
  type ClientAuthentication = (
    server: object,
    client: object,
    body: URLSearchParams,
    headers: Headers,
  ) => void;

  export class Configuration {
    serverMetadata(): Readonly<Record<string, unknown>>;
  }
  export function discovery(
    issuer: URL,
    clientId: string,
    metadata: undefined,
    authentication: ClientAuthentication,
    options: { readonly execute: readonly ((configuration: Configuration) => void)[] },
  ): Promise<Configuration>;
  export function ClientSecretBasic(secret: string): ClientAuthentication;
  export function None(): ClientAuthentication;
  /** Of a server on this machine, by plain HTTP. */
  export function allowInsecureRequests(configuration: Configuration): void;
  /** The ID token's signature is checked, although it comes from the provider over TLS. */
  export function enableNonRepudiationChecks(configuration: Configuration): void;
  export function randomState(): string;
  export function randomNonce(): string;
  export function randomPKCECodeVerifier(): string;
  export function calculatePKCECodeChallenge(verifier: string): Promise<string>;
  export function buildAuthorizationUrl(
    configuration: Configuration,
    parameters: Readonly<Record<string, string>>,
  ): URL;
  export function authorizationCodeGrant(
    configuration: Configuration,
    address: URL,
    checks: {
      readonly expectedState: string;
      readonly expectedNonce: string;
      readonly pkceCodeVerifier: string;
      readonly idTokenExpected: true;
    },
  ): Promise<{ claims(): Readonly<Record<string, unknown>> | undefined }>;
}
