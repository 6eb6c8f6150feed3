import "reflect-metadata";
import * as grpc from "@grpc/grpc-js";
import * as x509 from "@peculiar/x509";
import type { NodeCredentials } from "../../client-node/federation/credentials.ts";
import { createSecrets } from "../../client-node/federation/enrol.ts";
import { Authority, createAuthority } from "../../coordinator/authority/ca.ts";
import { seededRandom } from "../../core/random.ts";
import { newSignerKey, parseSignerKey } from "../../privacy/log/note.ts";
import { channelOptions, coordinatorName } from "../../proto/wire.ts";

const random = seededRandom("wire-server");

/** A consortium of one bank, one auditor and the enterprise `mill`, without a coordinator. */
export async function testConsortium(now = Date.now()) {
  const authority = await Authority.open(
    "riverbank",
    await createAuthority("riverbank", now, random),
    random,
  );
  const bank = newSignerKey("riverbank/bank", random);
  const auditor = newSignerKey("riverbank/auditor", random);
  const secrets = await createSecrets("riverbank", "mill", random);
  const credentials: NodeCredentials = {
    ...secrets,
    enterprise: "mill",
    consortium: "riverbank",
    certificate: await certify(authority, secrets.tlsKey, now),
    ca: authority.certificatePem,
    bankKey: bank.send,
    auditorKey: auditor.send,
  };
  return {
    authority,
    credentials,
    bankSeed: parseSignerKey(bank.keep).seed,
    auditorSeed: parseSignerKey(auditor.keep).seed,
  };
}

/** Signs a certificate for a node's TLS key, as enrolment would. */
async function certify(authority: Authority, tlsKey: string, now: number): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
  const privateKey = await crypto.subtle.importKey(
    "pkcs8",
    x509.PemConverter.decodeFirst(tlsKey),
    algorithm,
    true,
    ["sign"],
  );
  const { d: _, key_ops: __, ...jwk } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await crypto.subtle.importKey("jwk", jwk, algorithm, true, ["verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=mill",
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
  });
  return authority.signRequest(request.toString("pem"), { role: "enterprise", id: "mill" }, now);
}

/** Serves some services on loopback, with mutual TLS unless `clientCertificates` is false. */
export async function serve(
  authority: Authority,
  services: readonly (readonly [grpc.ServiceDefinition, grpc.UntypedServiceImplementation])[],
  { clientCertificates = true, hosts = [coordinatorName], now = Date.now(), listen = "127.0.0.1:0" } = {},
): Promise<{ address: string; stop(): void }> {
  const { certificatePem, privateKeyPem } = await authority.issueServer(hosts, now);
  const server = new grpc.Server(channelOptions);
  for (const [definition, implementation] of services) server.addService(definition, implementation);
  const ca = Buffer.from(authority.certificatePem);
  const credentials = grpc.ServerCredentials.createSsl(
    ca,
    [
      {
        private_key: Buffer.from(privateKeyPem),
        cert_chain: Buffer.from(`${certificatePem}\n${authority.certificatePem}`),
      },
    ],
    clientCertificates,
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(listen, credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
