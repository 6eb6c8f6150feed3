import { X509Certificate } from "node:crypto";
import test from "ava";
import { Authority, createAuthority, identityOf } from "../../../coordinator/authority/ca.ts";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";

const now = Date.UTC(2026, 0, 1);

async function certificates(seed: string): Promise<X509Certificate[]> {
  const random = seededRandom(seed);
  const pair = await createAuthority("riverbank", now, random);
  const authority = await Authority.open("riverbank", pair, random);
  const mill = await authority.issueClient({ role: "enterprise", id: "mill" }, now);
  return [pair, mill].map(({ certificatePem }) => new X509Certificate(certificatePem));
}

const serials = (issued: readonly X509Certificate[]): string[] => issued.map((c) => c.serialNumber);

test("serial numbers are by the generator that the authority was given", async (t) => {
  const once = serials(await certificates("a"));
  t.deepEqual(serials(await certificates("a")), once);
  t.is(new Set([...once, ...serials(await certificates("b"))]).size, 4);
});

test("a certificate speaks for the id in it, in its own consortium and no other", async (t) => {
  const [, mill] = await certificates("a");
  t.deepEqual(identityOf(mill!.raw, "riverbank"), { role: "enterprise", id: "mill" });
  const refusal = t.throws(() => identityOf(mill!.raw, "elsewhere"), { instanceOf: Refusal });
  t.is(refusal?.reason, "certificate_invalid");
});
