import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ClientSession,
  ClientTCP_transport,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  type OPCUAClientOptions,
  SecurityPolicy,
  StatusCodes,
  setErrorLogger,
  setWarningLogger,
  type UserIdentityInfo,
  UserTokenType,
} from "node-opcua";
import type { CollectorContext } from "../collector.ts";
import { readConfigured, readSecret } from "../runtime/secrets.ts";
import { Refused } from "../runtime/supervise.ts";
import type { OpcuaServer } from "./config.ts";

/** Longest wait for the polite end of a session before its sockets are destroyed. */
const farewellMillis = 1_000;

const applicationName = "FedCredit collector";

export interface OpcuaConnection {
  readonly session: ClientSession;
  /** Rejects when the connection or the session is lost; never resolves. */
  readonly lost: Promise<never>;
  /** Ends session and sockets; does not reject and does not wait for a dead peer. */
  close(): Promise<void>;
}

/** @throws {Refusal} file_missing or config_invalid if the credentials cannot be read. */
export async function readIdentity(identity: OpcuaServer["identity"]): Promise<UserIdentityInfo> {
  if (identity === "anonymous") return { type: UserTokenType.Anonymous };
  if ("user" in identity)
    return {
      type: UserTokenType.UserName,
      userName: identity.user,
      password: await readSecret(identity.password),
    };
  const [certificate, key] = await Promise.all([
    readConfigured(identity.certificate),
    readConfigured(identity.key),
  ]);
  return { type: UserTokenType.Certificate, certificateData: derOf(certificate), privateKey: String(key) };
}

const derOf = (pem: Buffer): Buffer => Buffer.from(String(pem).replace(/-----[^-]+-----|\s/g, ""), "base64");

/**
 * Connects once and opens a session. Reconnecting is the supervisor's: the client library's own recovery
 * leaves subscriptions behind after some losses (node-opcua issues 1059 and 1357), so it is switched off.
 *
 * @throws {Error} if the server cannot be reached, its certificate is not trusted, or it refuses the user.
 */
export async function connectOpcua(
  config: OpcuaServer,
  identity: UserIdentityInfo,
  context: CollectorContext,
  signal: AbortSignal,
): Promise<OpcuaConnection> {
  routeLibraryLog(context);
  const transports = new Set<ClientTCP_transport>();
  const destroyAll = () => {
    for (const transport of transports) transport.dispose();
  };
  const pki = config.security === "none" ? await plainPki() : config.security.pki;
  // Made anew for every client: the library writes into the options it is given. And a store made anew for every
  // connection sees a certificate that was moved to trusted/ meanwhile, without a restart.
  const clientOptions = (): OPCUAClientOptions => ({
    clientCertificateManager: new OPCUACertificateManager({
      rootFolder: pki,
      automaticallyAcceptUnknownCertificate: false,
      disableFileWatchers: true,
    }),
    applicationName,
    connectionStrategy: { maxRetry: 0, initialDelay: 1, maxDelay: 2 },
    endpointMustExist: false,
    transportTimeout: config.timeout,
    defaultTransactionTimeout: config.timeout,
    transportFactory: {
      create(settings) {
        const transport = guarded(new ClientTCP_transport(settings));
        transports.add(transport);
        return transport;
      },
    },
  });
  const close = async (client: OPCUAClient): Promise<void> => {
    await withDeadline(farewellMillis, client.disconnect()).catch(() => {});
    destroyAll();
  };

  signal.addEventListener("abort", destroyAll);
  let client: OPCUAClient | undefined;
  try {
    const secured =
      config.security === "none"
        ? {}
        : await secureOptions(config, config.security, clientOptions, close, signal);
    client = OPCUAClient.create({ ...clientOptions(), ...secured });
    const opened = client;
    const { promise: lost, reject } = Promise.withResolvers<never>();
    lost.catch(() => {});
    for (const event of ["connection_lost", "close", "abort", "start_reconnection"] as const)
      opened.on(event, () => reject(new Error("connection lost")));
    await withDeadline(config.timeout, opened.connect(config.endpoint), signal);
    const session = await withDeadline(config.timeout, opened.createSession(identity), signal).catch(
      (error: Error) => {
        if (!identityRefusals.test(error.message)) throw error;
        throw new Refused(
          `the server refuses this user (${identityRefusals.exec(error.message)![0]})`,
          error,
        );
      },
    );
    session.on("session_closed", (status) => reject(new Error(`session closed: ${status.name}`)));
    return { session, lost, close: () => close(opened) };
  } catch (error) {
    if (client !== undefined) await close(client);
    destroyAll();
    throw error;
  } finally {
    signal.removeEventListener("abort", destroyAll);
  }
}

/**
 * Asks the server for its certificate, and goes on only if the trust list holds it (or its issuer). What the
 * server shows later is bound to it: the channel is opened with this certificate's key.
 */
async function secureOptions(
  config: OpcuaServer,
  security: Exclude<OpcuaServer["security"], "none">,
  clientOptions: () => OPCUAClientOptions,
  close: (client: OPCUAClient) => Promise<void>,
  signal: AbortSignal,
): Promise<OPCUAClientOptions> {
  const securityMode = MessageSecurityMode[security.mode];
  const securityPolicy = SecurityPolicy[security.policy];
  const discovery = OPCUAClient.create(clientOptions());
  let certificate: Buffer | undefined;
  try {
    await withDeadline(config.timeout, discovery.connect(config.endpoint), signal);
    const endpoints = await withDeadline(config.timeout, discovery.getEndpoints(), signal);
    certificate = endpoints.find(
      (e) => e.securityMode === securityMode && e.securityPolicyUri === securityPolicy,
    )?.serverCertificate;
  } finally {
    await close(discovery);
  }
  if (!certificate?.length) throw new Error(`server offers no ${security.mode} with ${security.policy}`);

  const trustList = new OPCUACertificateManager({
    rootFolder: security.pki,
    automaticallyAcceptUnknownCertificate: false,
    disableFileWatchers: true,
  });
  await trustList.initialize();
  const verdict = await trustList.checkCertificate(certificate).finally(() => trustList.dispose());
  if (!verdict.isGood())
    throw new Error(
      `server certificate refused (${verdict.name}): move it from ${join(security.pki, "rejected")} to ${join(security.pki, "trusted/certs")} if it is the right one`,
    );
  return { securityMode, securityPolicy, serverCertificate: certificate };
}

/**
 * The library throws in the middle of a socket's data at a chunk that is too large where it comes with the server's
 * acknowledgement: that ends the connection, not the process.
 */
function guarded(transport: ClientTCP_transport): ClientTCP_transport {
  const take = Reflect.get(transport, "_on_socket_data") as (data: Buffer) => void;
  Reflect.set(transport, "_on_socket_data", (data: Buffer) => {
    try {
      take.call(transport, data);
    } catch (error) {
      transport.prematureTerminate(error as Error, StatusCodes.BadTcpMessageTooLarge);
    }
  });
  return transport;
}

/** @see OPC 10000-6, annex A.2 */
const identityRefusals =
  /Bad(UserAccessDenied|IdentityTokenInvalid|IdentityTokenRejected|UserSignatureInvalid)/;

let plainFolder: Promise<string> | undefined;

/** The library wants a certificate of its own even where none is used; not in the user's home folder. */
function plainPki(): Promise<string> {
  plainFolder ??= mkdtemp(join(tmpdir(), "opcua-plain-")).then(async (folder) => {
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    // Two clients at once would make the key, and one of them read what the other has half written.
    const certificates = new OPCUACertificateManager({ rootFolder: folder, disableFileWatchers: true });
    await certificates.initialize();
    await certificates.dispose();
    return folder;
  });
  return plainFolder;
}

/** @throws {Error} "timeout" or "stopped" if the promise does not settle before; a later rejection is dropped. */
export async function withDeadline<T>(
  milliseconds: number,
  promise: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const timeout = setTimeout(() => reject(new Error("timeout")), milliseconds);
  const stopped = () => reject(new Error("stopped"));
  if (signal?.aborted) stopped();
  signal?.addEventListener("abort", stopped);
  promise.catch(() => {});
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timeout);
    signal?.removeEventListener("abort", stopped);
  }
}

/** The library prints to the console by default; an operational log has one door. */
function routeLibraryLog(context: CollectorContext): void {
  const route =
    (level: "warn" | "error") =>
    (...parts: unknown[]) =>
      context.log(level, "opcua library", { text: parts.map(String).join(" ") });
  setWarningLogger(route("warn"));
  setErrorLogger(route("error"));
}
