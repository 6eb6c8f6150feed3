import test from "ava";
import fc from "fast-check";
import { seededRandom } from "../../core/random.ts";
import { generateIdentity, publicIdentity, x25519Pair } from "../../privacy/identity.ts";
import {
  newSignerKey,
  noteSigner,
  parseSignerKey,
  parseVerifierKey,
  signNote,
  verifierKey,
} from "../../privacy/log/note.ts";
import {
  countOrganisations,
  formatRoster,
  openRoster,
  parseRoster,
  type RosterText,
  rosterDigest,
  signRoster,
} from "../../privacy/roster.ts";

const random = seededRandom("roster");
const keyOf = (name: string) => {
  const { keep, send } = newSignerKey(name, random);
  const { seed } = parseSignerKey(keep);
  return { signer: noteSigner(name, seed), verifier: parseVerifierKey(send) };
};
const bank = keyOf("riverbank/bank");
const auditor = keyOf("riverbank/auditor");
const stranger = keyOf("riverbank/auditor");

const member = (id: string, organisation: string) => ({
  id,
  organisation,
  ...publicIdentity(generateIdentity(`riverbank/${id}`, random)),
});
const roster: RosterText = {
  consortium: "riverbank",
  version: 3,
  members: [
    member("cold-chain", "Kühl & Söhne AG"),
    member("lathe-works", "Lathe Works Ltd"),
    member("mill", "纺织厂"),
  ],
};
const note = signRoster(roster, [bank.signer, auditor.signer]);

test("a roster that bank and auditor signed opens, with its members' keys", (t) => {
  const opened = openRoster(note, bank.verifier, auditor.verifier);
  t.like(opened, roster);
  t.is(opened.digest, rosterDigest(note));
  t.is(opened.byId.get("mill")?.organisation, "纺织厂");
  t.is(opened.byId.get("mill")?.identityKey.length, 32);
});

test("the digest is of the text, whoever signed it", (t) => {
  t.is(rosterDigest(signRoster(roster, [bank.signer])), rosterDigest(note));
  t.not(rosterDigest(signRoster({ ...roster, version: 4 }, [bank.signer])), rosterDigest(note));
});

test("either signature missing is refused, as is one by another key of the same name", (t) => {
  for (const signers of [[bank.signer], [auditor.signer], [bank.signer, stranger.signer]]) {
    const half = signRoster(roster, signers);
    t.like(
      t.throws(() => openRoster(half, bank.verifier, auditor.verifier)),
      { reason: "roster_unsigned" },
    );
  }
});

test("a changed text is refused", (t) => {
  const forged = note.replace("Lathe Works Ltd", "Lathe Works Inc");
  t.like(
    t.throws(() => openRoster(forged, bank.verifier, auditor.verifier)),
    { reason: "signature_invalid" },
  );
});

test("only the canonical text is a roster, also when it is signed", (t) => {
  const text = formatRoster(roster);
  t.deepEqual(parseRoster(text), roster);
  const [first = "", second = "", third = "", ...lines] = text.trimEnd().split("\n");
  const variants = [
    text.slice(0, -1),
    `${text}\n`,
    text.replace("/v1", "/v2"),
    text.replace("\n3\n", "\n03\n"),
    text.replace("\n3\n", "\n0\n"),
    text.replace("\nriverbank\n", "\nRiverbank\n"),
    text.replace("Lathe Works", " Lathe Works"),
    text.replace("Works Ltd", "Works Ltd "),
    text.replace("lathe-works ", "lathe_works "),
    `${[first, second, third, ...lines.toReversed()].join("\n")}\n`,
    `${[first, second, third, lines[0], ...lines].join("\n")}\n`,
    `${[first, second, third, ...lines, lines[2]?.replace("mill", "mill-2")].join("\n")}\n`,
    `${[first, second, third, ...lines, "mill-2 key hpke org"].join("\n")}\n`,
  ];
  for (const variant of variants) {
    t.like(
      t.throws(() => parseRoster(variant), undefined, variant),
      { reason: "note_malformed" },
    );
    if (!variant.endsWith("\n")) continue;
    const signed = signNote(variant, [bank.signer, auditor.signer]);
    t.throws(() => openRoster(signed, bank.verifier, auditor.verifier));
  }
});

test("organisations count once, strangers not at all", (t) => {
  const shared = { ...roster, members: [...roster.members, member("mill-2", "纺织厂")] };
  const opened = openRoster(
    signRoster(shared, [bank.signer, auditor.signer]),
    bank.verifier,
    auditor.verifier,
  );
  t.is(countOrganisations(opened, ["mill", "mill-2", "cold-chain", "nobody"]), 2);
  t.is(countOrganisations(opened, []), 0);
});

/** Members with random keys: base64 of some holds "+", which is also what separates a verifier key's fields. */
const manyMembers = (seed: string, count: number): RosterText["members"] => {
  const keys = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const id = `party-${String(i).padStart(4, "0")}`;
    return {
      id,
      organisation: `Party ${i}`,
      verifierKey: verifierKey(`riverbank/${id}`, keys.bytes(32)),
      hpkeKey: x25519Pair(new Uint8Array(keys.bytes(32))).publicKey,
    };
  });
};

test("honest rosters of 500 members are accepted, whatever their keys", (t) => {
  fc.assert(
    fc.property(fc.string(), (seed) => {
      const members = manyMembers(seed, 500);
      t.true(members.some(({ verifierKey }) => verifierKey.split("+").length > 3));
      const text = formatRoster({ consortium: "riverbank", version: 1, members });
      const parsed = parseRoster(text);
      t.is(parsed.members.length, 500);
      t.is(formatRoster(parsed), text);
    }),
    { numRuns: process.env.SLOW ? 200 : 10 },
  );
});

test("a key that two of 500 members have is refused, identity or HPKE, also under another name", (t) => {
  fc.assert(
    fc.property(fc.string(), fc.nat(498), (seed, at) => {
      const members = manyMembers(seed, 500);
      const [one, other] = [members[at]!, members[at + 1]!];
      const { publicKey } = parseVerifierKey(one.verifierKey);
      for (const twice of [
        { ...other, verifierKey: verifierKey(`riverbank/${other.id}`, publicKey) },
        { ...other, hpkeKey: one.hpkeKey },
      ]) {
        const changed = members.with(at + 1, twice);
        t.throws(() => formatRoster({ consortium: "riverbank", version: 1, members: changed }), {
          message: new RegExp(`${other.id} has a key that another member has`),
        });
      }
    }),
    { numRuns: process.env.SLOW ? 200 : 10 },
  );
});

test("a member whose key gives no secret, or no signature of its own, is in no roster", (t) => {
  const [first, ...rest] = roster.members;
  const withFirst = (changes: object): RosterText => ({
    ...roster,
    members: [{ ...first!, ...changes }, ...rest],
  });
  const weak = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
  const changes = [{ hpkeKey: weak }, { verifierKey: verifierKey("riverbank/cold-chain", weak) }];
  for (const change of changes) {
    t.like(
      t.throws(() => signRoster(withFirst(change), [bank.signer, auditor.signer])),
      { reason: "key_low_order" },
    );
    // signed by both all the same, as text
    const line = (member: typeof first) =>
      `${member!.id} ${member!.verifierKey} ${Buffer.from(member!.hpkeKey).toString("base64")} `;
    const text = formatRoster(roster).replace(line(first), line({ ...first!, ...change }));
    t.not(text, formatRoster(roster));
    t.like(
      t.throws(() =>
        openRoster(signNote(text, [bank.signer, auditor.signer]), bank.verifier, auditor.verifier),
      ),
      { reason: "key_low_order" },
    );
  }
});
