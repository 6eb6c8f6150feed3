import "reflect-metadata";
import { connect, type DetailedPeerCertificate } from "node:tls";
import * as x509 from "@peculiar/x509";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { certificateRequest, generateTlsKey } from "../../privacy/certificate-request.ts";
import { generateIdentity, publicIdentity } from "../../privacy/identity.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { WireClient } from "../../proto/client.ts";
import { parseToken } from "../../proto/token.ts";
import { Enrolment, protocolVersion } from "../../proto/wire.ts";
import { checkCertificate, type NodeSecrets, type Pins, parseCertificate } from "./credentials.ts";

const connectSeconds = 10;

/** Makes a node's keys. They stay where they are made. */
export async function createSecrets(
  consortium: string,
  enterprise: string,
  random: Random,
): Promise<NodeSecrets> {
  const tlsKey = await generateTlsKey();
  return { tlsKey, identity: generateIdentity(`${consortium}/${enterprise}`, random) };
}

export interface EnrolOptions {
  readonly consortium: string;
  readonly enterprise: string;
  /** host:port of the enrolment service. */
  readonly address: string;
  /** As the bank gave it, over another channel. */
  readonly token: string;
  readonly secrets: NodeSecrets;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Enrols with a one-time token. The token's secret is sent only after the server has proved a certificate under
 * the authority whose fingerprint the token carries.
 *
 * @returns what to pin; bank and auditor keys are to be compared over another channel.
 * @throws Refusal token_invalid, certificate_invalid, unavailable, protocol_version, and the bank's own.
 */
export async function enrol(options: EnrolOptions): Promise<Pins> {
  const { secret, caFingerprint } = parseToken(options.token);
  const ca = await fetchAuthority(options.address, caFingerprint);
  const client = new WireClient(options.address, { authorityPem: ca });
  try {
    const { verifierKey, hpkeKey } = publicIdentity(options.secrets.identity);
    const reply = await client.call(Enrolment.service.Enrol, {
      token: secret,
      csrPem: await certificateRequest(options.secrets.tlsKey, options.enterprise),
      identityKey: verifierKey,
      hpkeKey,
      protocolVersion,
    });
    if (reply.enterprise !== options.enterprise || reply.consortium !== options.consortium)
      throw new Refusal(
        "token_invalid",
        `the token is for ${reply.enterprise} in ${reply.consortium}, not for ${options.enterprise} in ${options.consortium}`,
      );
    const pins: Pins = {
      enterprise: reply.enterprise,
      consortium: reply.consortium,
      certificate: reply.certificatePem,
      ca,
      bankKey: parseVerifierKey(reply.bankKey).key,
      auditorKey: parseVerifierKey(reply.auditorKey).key,
    };
    if (fingerprintOf(parseCertificate(reply.caPem).fingerprint256) !== caFingerprint)
      throw new Refusal(
        "certificate_invalid",
        "the bank answered with another authority than the token names",
      );
    checkCertificate(pins, options.secrets, options.now);
    return pins;
  } finally {
    client.close();
  }
}

/** Node prints fingerprints as AA:BB:…. */
const fingerprintOf = (text: string): string => text.replaceAll(":", "").toLowerCase();

/**
 * Asks the server for its chain and takes from it the one certificate that has the token's fingerprint. Nothing is
 * sent here; the connection that carries the token is then verified against that certificate like any other.
 */
function fetchAuthority(address: string, fingerprint: string): Promise<string> {
  const { hostname, port } = new URL(`https://${address}`);
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    const end = (settle: () => void): void => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(connectSeconds * 1000, () =>
      end(() => reject(new Refusal("deadline", `${address}: no answer in ${connectSeconds} s`))),
    );
    socket.once("error", (cause) =>
      end(() => reject(new Refusal("unavailable", `${address}: cannot be reached`, { cause }))),
    );
    socket.once("secureConnect", () => {
      const authority = chainOf(socket.getPeerCertificate(true)).find(
        (certificate) => fingerprintOf(certificate.fingerprint256) === fingerprint,
      );
      end(() => {
        if (authority === undefined)
          reject(
            new Refusal("certificate_invalid", `${address} is not under the authority that the token names`, {
              hint: "nothing was sent: check the address, then ask the bank for a new token",
            }),
          );
        else resolve(x509.PemConverter.encode(new Uint8Array(authority.raw).buffer, "CERTIFICATE"));
      });
    });
  });
}

function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  for (
    let at: DetailedPeerCertificate | undefined = leaf;
    at !== undefined && !chain.includes(at);
    at = at.issuerCertificate
  )
    chain.push(at);
  return chain;
}
