import test from "ava";
import { Transport } from "../../../client-node/federation/transport.ts";
import { systemClock } from "../../../coordinator/bank.ts";
import { listen } from "../../../coordinator/service/transport.ts";
import { secureRandom } from "../../../core/random.ts";
import type { Refusal } from "../../../core/reasons.ts";
import { certificateRequest } from "../../../privacy/certificate-request.ts";
import { coordinatorName, Health, protocolVersion } from "../../../proto/wire.ts";
import { testConsortium } from "../../support/wire-server.ts";

const day = 86_400_000;

test("whose certificate begins later by the coordinator's clock is told of clocks, not to enrol again", async (t) => {
  const now = Date.now();
  const { authority, credentials } = await testConsortium(now);
  const server = await authority.issueServer([coordinatorName], now);
  const tls = { server, authorityPem: authority.certificatePem, clientCertificates: true };
  const port = await listen({ host: "127.0.0.1", port: 0 }, tls, systemClock, (door) =>
    door.addService(Health.service, {
      Check: (_: unknown, answer: (error: null, reply: object) => void) =>
        answer(null, { protocolVersion, softwareVersion: "0", timeMillis: Date.now(), draining: false }),
    }),
  );
  t.teardown(() => port.kill());
  const reasonWith = async (certificate: string): Promise<string> => {
    const address = `127.0.0.1:${port.port}`;
    const own = { ...credentials, certificate };
    const transport = new Transport({
      address,
      credentials: own,
      beforeSend: () => {},
      now: Date.now,
      random: secureRandom,
    });
    const found = await transport.checkHealth().then(
      () => "let in",
      (error: Refusal) => error.reason,
    );
    transport.close();
    return found;
  };
  const request = await certificateRequest(credentials.tlsKey, "mill");
  const from = (millis: number): Promise<string> =>
    authority.signRequest(request, { role: "enterprise", id: "mill" }, millis);
  t.is(await reasonWith(await from(now + day)), "clock_skew");
  t.is(await reasonWith(await from(now - 500 * day)), "certificate_invalid", "one that is over");
  t.is(await reasonWith(await from(now)), "let in");
});
