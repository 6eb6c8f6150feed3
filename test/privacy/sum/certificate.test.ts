import test from "ava";
import { canonicalBytes, digestOf } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import {
  encodeCertificate,
  parseCertificate,
  type SumCertificate,
  survivorsOf,
  verifyCertificate,
} from "../../../privacy/sum/certificate.ts";
import type { SignedBy } from "../../../privacy/sum/epoch/messages.ts";
import { roundIdOf } from "../../../privacy/sum/header.ts";
import { type Consortium, renewEpoch } from "../../../privacy/sum/simulation.ts";
import { signStatement, sumDigest, survivorsDigest } from "../../../privacy/sum/statements.ts";
import { attempt, closeBfv, consortiumOf, partyIds, sharedBfv, smallSum } from "../../support/sealed-sum.ts";

test.after.always(closeBfv);

const ids = partyIds(5);
let consortium: Consortium;
let certificate: SumCertificate;
let confirmations: readonly SignedBy[];
test.before(async () => {
  const bfv = await sharedBfv();
  // T = 4 of 5, a release takes 3
  consortium = await consortiumOf(5, bfv);
  const done = await attempt({ consortium, bfv });
  certificate = done.sum!.certificate;
  ({ confirmations } = consortium.epoch.open);
});

const verify = (changed: SumCertificate, by = confirmations) =>
  verifyCertificate(changed, consortium.roster, by);

const outcome = (changed: SumCertificate, by?: readonly SignedBy[]): string => {
  try {
    verify(changed, by);
    return "verified";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `${error.reason}: ${error.message}`;
  }
};

test("a certificate comes back from its bytes and proves its sum", (t) => {
  const bytes = encodeCertificate(certificate);
  const read = parseCertificate(bytes);
  t.deepEqual(read, certificate);
  const proved = verify(read);
  t.deepEqual([...proved.values], smallSum([0, 1, 2, 3, 4]));
  t.is(proved.parties, 5);
  t.is(proved.state, certificate.header.state);
  t.is(proved.roundId, roundIdOf(certificate.header));
  t.deepEqual(proved.survivors, ids);
  // a quorum is enough, fewer are not
  t.is(outcome({ ...certificate, released: certificate.released.slice(0, 3) }), "verified");
  t.regex(outcome({ ...certificate, released: certificate.released.slice(0, 2) }), /2 of 3 survivors/);
  t.is(outcome({ ...certificate, agreed: certificate.agreed.slice(0, 4) }), "verified");
  t.regex(outcome({ ...certificate, agreed: certificate.agreed.slice(0, 3) }), /3 of T = 4/);
});

test("bytes that are no certificate, or not canonical, are refused", (t) => {
  for (const bytes of [
    Buffer.from("{}"),
    Buffer.from("x"),
    Buffer.from(JSON.stringify(certificate, null, 1)),
    canonicalBytes({ ...certificate, extra: 1 }),
    canonicalBytes({ ...certificate, format: "fedcredit/sum-certificate/v2" }),
  ])
    t.like(
      t.throws(() => parseCertificate(bytes)),
      { reason: "certificate_forged" },
    );
});

test("whatever is changed in a certificate is named", (t) => {
  const { header, epoch, survivors, released, agreed } = certificate;
  const other = digestOf("x");
  const [one, two, ...more] = released;
  const twice = [one!, one!, one!];
  const foreign = [{ ...one!, signature: two!.signature }, ...more];
  const sum = Buffer.from(certificate.sum, "base64");
  const changedSum = Buffer.from(sum);
  changedSum[6]! ^= 1;
  const miscounted = Buffer.from(sum);
  miscounted[0]! = 4;
  for (const [expected, changed] of [
    [/another roster/, { header: { ...header, roster: other } }],
    [/names another epoch/, { header: { ...header, epoch: other } }],
    [/names another epoch/, { epoch: { ...epoch, transcript: { ...epoch.transcript, nonces: other } } }],
    [/not of its header/, { epoch: { ...epoch, header: { ...epoch.header, threshold: 3 } } }],
    [/not of its header/, { epoch: { ...epoch, header: { ...epoch.header, members: ids.slice(1) } } }],
    [/T is not the epoch's/, { header: { ...header, threshold: 3 } }],
    [/no such slot/, { header: { ...header, slot: 64 } }],
    [/below maxColluding \+ 2/, { header: { ...header, minCohort: 2 } }],
    [/cohort is not of the epoch/, { header: { ...header, cohort: [...ids, "zulu"] } }],
    [/of T = 4 agreed/, { header: { ...header, state: other } }],
    [/of T = 4 agreed/, { header: { ...header, attempt: 2 } }],
    [/of T = 4 agreed/, { survivors: survivors.map((s, i) => (i === 0 ? { ...s, digest: other } : s)) }],
    [/of T = 4 agreed/, { survivors: survivors.slice(1) }],
    [/fewer organisations/, { survivors: survivors.slice(3) }],
    [/not of the cohort/, { survivors: [...survivors].reverse() }],
    [/of T = 4 agreed/, { agreed: agreed.map((s) => ({ ...s, party: ids[0]! })) }],
    [
      /with drop-outs/,
      { header: { ...header, follows: { kind: "half", of: other } }, survivors: survivors.slice(1) },
    ],
    [/none of so many vectors/, { sum: miscounted.toString("base64") }],
    [/none of so many vectors/, { sum: "" }],
    [/survivors signed the sum/, { sum: changedSum.toString("base64") }],
    [/survivors signed the sum/, { salt: other }],
    [/survivors signed the sum/, { aggregate: other }],
    [/survivors signed the sum/, { unmasking: other }],
    [/survivors signed the sum/, { released: twice }],
    [/survivors signed the sum/, { released: foreign.slice(0, 3) }],
  ] as const)
    t.regex(outcome({ ...certificate, ...changed } as SumCertificate), expected);
});

test("an epoch that not all members signed, or not this one, certifies nothing", async (t) => {
  t.regex(outcome(certificate, confirmations.slice(1)), /not all members signed/);
  const next = await renewEpoch(consortium, await sharedBfv());
  t.regex(outcome(certificate, next.epoch.open.confirmations), /not all members signed/);
});

test("fewer than a quorum of friends cannot certify a sum of their own", (t) => {
  const roundId = roundIdOf(certificate.header);
  const sum = Buffer.from(certificate.sum, "base64");
  sum[6]! ^= 1;
  const { unmasking, aggregate, salt, survivors } = certificate;
  const statement = {
    purpose: "release",
    survivors: survivorsDigest(survivorsOf({ survivors })),
    unmasking,
    aggregate,
    digest: sumDigest(Buffer.from(salt, "hex"), sum),
  } as const;
  const forged = (friends: number): SumCertificate => ({
    ...certificate,
    sum: sum.toString("base64"),
    released: ids.slice(0, friends).map((party) => {
      const signature = signStatement(roundId, party, statement, consortium.parties.get(party)!.identity);
      return { party, signature: Buffer.from(signature).toString("base64") };
    }),
  });
  t.regex(outcome(forged(2)), /2 of 3 survivors/);
  // the control: with a quorum of friends it is their sum
  t.is(outcome(forged(3)), "verified");
});
