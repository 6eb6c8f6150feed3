import test from "ava";
import { canonicalBytes } from "../../../../core/canonical.ts";
import { seededRandom } from "../../../../core/random.ts";
import type { Bfv } from "../../../../privacy/sum/encryption/bfv.ts";
import {
  checkEpochHeader,
  type EpochHeader,
  encodeEpochHeader,
  openingIdOf,
  parseEpochHeader,
  proposeEpoch,
} from "../../../../privacy/sum/epoch/header.ts";
import { type Consortium, foundConsortium } from "../../../../privacy/sum/simulation.ts";
import { anyDigest, proposalOf } from "../../../support/key-epoch.ts";
import { closeBfv, sharedBfv } from "../../../support/sealed-sum.ts";

let bfv: Bfv;
let consortium: Consortium;
let header: EpochHeader;
test.before(async () => {
  bfv = await sharedBfv();
  const members = new Map(["a", "b", "c", "d", "e"].map((id) => [id, `${id} Ltd`]));
  const founded = await foundConsortium("test", members, bfv, seededRandom("header"));
  const { byId } = founded.roster;
  const sister = { ...byId.get("e")!, organisation: byId.get("d")!.organisation };
  consortium = { ...founded, roster: { ...founded.roster, byId: new Map([...byId, ["e", sister]]) } };
  header = proposalOf(consortium, { members: ["a", "b", "c", "d"] });
});
test.after.always(closeBfv);

test("a proposal is the formula's, comes back whole and passes", (t) => {
  t.like(header, { degree: 3, threshold: 3, slots: 64, members: ["a", "b", "c", "d"] });
  t.deepEqual(parseEpochHeader(encodeEpochHeader(header)), header);
  t.notThrows(() => checkEpochHeader(header, consortium.roster));
  t.not(openingIdOf(header), openingIdOf({ ...header, epoch: 2 }));
});

test("what is not the canonical form of a header is refused", (t) => {
  const encoded = Buffer.from(encodeEpochHeader(header));
  const changed = (changes: object) => canonicalBytes({ ...header, ...changes });
  const wrong: Uint8Array[] = [
    Buffer.concat([encoded, Buffer.from(" ")]),
    Buffer.from("{"),
    Buffer.alloc(400_000, " "),
    changed({ extra: 1 }),
    changed({ protocol: "fedcredit/sealed-sum/v1" }),
    changed({ members: ["b", "a", "c"] }),
    changed({ members: ["a", "a", "b"] }),
    changed({ members: ["a"] }),
    changed({ members: ["A", "b"] }),
    changed({ slots: 65 }),
    changed({ epoch: 0 }),
    changed({ epoch: 1.5 }),
    changed({ maxColluding: 0 }),
    changed({ threshold: 256 }),
    changed({ degree: 255 }),
    changed({ stepSeconds: 0 }),
    changed({ stepSeconds: 100_000 }),
    changed({ roster: "AB" }),
  ];
  for (const bytes of wrong)
    t.like(
      t.throws(() => parseEpochHeader(bytes)),
      { reason: "message_malformed" },
      Buffer.from(bytes).toString("utf8").slice(0, 200),
    );
});

test("a header of another roster, threshold or degree, or of strangers, is refused", (t) => {
  const refused = (changes: Partial<EpochHeader>) =>
    (t.throws(() => checkEpochHeader({ ...header, ...changes }, consortium.roster)) as { reason?: string })
      .reason;
  t.is(refused({ roster: anyDigest }), "roster_mismatch");
  t.is(refused({ consortium: "other" }), "roster_mismatch");
  t.is(refused({ members: ["a", "b", "c", "stranger"] }), "roster_mismatch");
  t.is(refused({ members: ["a", "b", "d", "e"] }), "roster_mismatch", "two of one organisation");
  t.is(refused({ threshold: 2 }), "threshold_mismatch");
  t.is(refused({ threshold: 4 }), "threshold_mismatch");
  t.is(refused({ degree: 2 }), "threshold_mismatch");
  t.is(refused({ maxColluding: 2 }), "threshold_mismatch");
  t.is(refused({ maxColluding: 4 }), "cohort_too_small");
});

test("an epoch that cannot work is not proposed", (t) => {
  const propose = (members: string[], maxColluding: number) => () =>
    proposeEpoch(consortium.roster, { epoch: 1, members, maxColluding, stepSeconds: 1 });
  t.like(t.throws(propose(["a", "b"], 2)), { reason: "cohort_too_small" });
  t.like(t.throws(propose(["a", "stranger"], 1)), { reason: "roster_mismatch" });
  t.like(t.throws(propose(["a", "d", "e"], 1)), { reason: "roster_mismatch" });
  t.deepEqual(propose(["c", "a", "b"], 1)().members, ["a", "b", "c"]);
});
