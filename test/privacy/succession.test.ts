import test from "ava";
import fc from "fast-check";
import { seededRandom } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import { generateIdentity, publicIdentity } from "../../privacy/identity.ts";
import { cosignatureVerifier } from "../../privacy/log/cosignature.ts";
import { type KnownSigner, knownSigner } from "../../privacy/log/note.ts";
import { formatPolicy, parsePolicy } from "../../privacy/log/policy.ts";
import { formatRoster, openPastRoster, openRoster, parseRoster, signRoster } from "../../privacy/roster.ts";
import {
  followingPolicy,
  keyInForce,
  leadsTo,
  parseSuccession,
  type Succession,
  signSuccession,
  successionLine,
  successionsSince,
} from "../../privacy/succession.ts";

const consortium = "riverbank";
const random = seededRandom("succession");
const keys = (name: string, count: number): KnownSigner[] =>
  Array.from({ length: count }, () => knownSigner(`${consortium}/${name}`, new Uint8Array(random.bytes(32))));
const banks = keys("bank", 4);
const auditors = keys("auditor", 3);
const [mill, nextMill] = [0, 1].map(() => generateIdentity(`${consortium}/mill`, random));
const member = { id: "mill", organisation: "Mill Ltd", ...publicIdentity(mill!) };

const follow = (holder: string, old: KnownSigner, next: KnownSigner): Succession =>
  signSuccession(consortium, { holder, from: old.verifier.key, to: next.verifier.key }, old, next);
const [first, second] = [follow("bank", banks[0]!, banks[1]!), follow("bank", banks[1]!, banks[2]!)];
const ofAuditor = follow("auditor", auditors[0]!, auditors[1]!);

const noteOf = (successions: readonly Succession[], signers: readonly KnownSigner[], version = 2): string =>
  signRoster({ consortium, version, successions, members: [member] }, signers);
const open = (note: string, bank = banks[0]!, auditor = auditors[0]!) =>
  openRoster(note, bank.verifier, auditor.verifier);

const reasonOf = (work: () => unknown): Reason | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
};

test("whoever pinned any key of bank and auditor comes to those in force", (t) => {
  const note = noteOf([first, ofAuditor, second], [banks[2]!, auditors[1]!]);
  for (const bank of banks.slice(0, 3))
    for (const auditor of auditors.slice(0, 2)) {
      const roster = open(note, bank, auditor);
      t.is(roster.bank.key, banks[2]!.verifier.key);
      t.is(roster.auditor.key, auditors[1]!.verifier.key);
    }
  t.is(
    reasonOf(() => open(note, banks[3]!)),
    "signature_invalid",
    "a bank of other keys",
  );
  t.is(
    reasonOf(() => open(note, banks[0]!, auditors[2]!)),
    "signature_invalid",
    "another auditor",
  );
});

test("a bank alone replaces no key: neither its own nor the auditor's", (t) => {
  const refusals: [string, string, Reason][] = [
    ["the auditor has not signed", noteOf([first], [banks[1]!]), "roster_unsigned"],
    ["the old key signs the roster", noteOf([first], [banks[0]!, auditors[0]!]), "roster_unsigned"],
    ["the new key without a succession", noteOf([], [banks[1]!, auditors[0]!]), "roster_unsigned"],
    [
      "an auditor of the bank's making",
      noteOf([follow("auditor", auditors[2]!, auditors[1]!)], [banks[0]!, auditors[1]!]),
      "signature_invalid",
    ],
  ];
  for (const [why, note, reason] of refusals)
    t.is(
      reasonOf(() => open(note)),
      reason,
      why,
    );
  t.is(
    reasonOf(() => open(noteOf([first], [banks[1]!, auditors[0]!]))),
    undefined,
    "the control",
  );
});

test("both keys sign a succession, of this holder, in this consortium", (t) => {
  const line = successionLine(first);
  t.deepEqual(parseSuccession(line, consortium), first);
  const fields = line.split(" ");
  const forge = (at: number, field: string): string => fields.with(at, field).join(" ");
  const forged: [string, string][] = [
    ["by the new key alone", forge(5, fields[6]!)],
    ["by the old key alone", forge(6, fields[5]!)],
    ["to another key", forge(3, banks[3]!.verifier.key)],
    ["from another key", forge(2, banks[3]!.verifier.key)],
    ["of another holder", forge(1, "auditor")],
  ];
  for (const [why, text] of forged)
    t.is(
      reasonOf(() => parseSuccession(text, consortium)),
      "signature_invalid",
      why,
    );
  t.is(
    reasonOf(() => parseSuccession(line, "otherbank")),
    "signature_invalid",
    "of another consortium",
  );
});

test("an enterprise's key comes with its HPKE key, which both sign", (t) => {
  const [old, next] = [mill!, nextMill!].map(({ name, signingSeed }) => knownSigner(name, signingSeed));
  const { verifierKey: to, hpkeKey } = publicIdentity(nextMill!);
  const own = { holder: "mill", from: member.verifierKey, to, hpkeKey };
  const line = successionLine(signSuccession(consortium, own, old!, next!));
  t.deepEqual(parseSuccession(line, consortium).hpkeKey, hpkeKey);
  const other = line.replace(Buffer.from(hpkeKey).toString("base64"), Buffer.alloc(32, 9).toString("base64"));
  t.is(
    reasonOf(() => parseSuccession(other, consortium)),
    "signature_invalid",
  );
  const without = line.replace(Buffer.from(hpkeKey).toString("base64"), "-");
  t.is(
    reasonOf(() => parseSuccession(without, consortium)),
    "note_malformed",
  );
});

test("any byte of a line that is another one is refused", (t) => {
  const line = successionLine(first);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ -";
  fc.assert(
    fc.property(fc.nat(line.length - 1), fc.constantFrom(...alphabet), (at, character) => {
      fc.pre(line[at] !== character);
      const changed = line.slice(0, at) + character + line.slice(at + 1);
      return reasonOf(() => parseSuccession(changed, consortium)) !== undefined;
    }),
    { numRuns: process.env.SLOW ? 5000 : 200 },
  );
  t.pass();
});

test("a key that was given two successors is refused with both lines, which prove it", (t) => {
  const other = follow("bank", banks[0]!, banks[3]!);
  const evidence = t.throws(() => successionsSince([first], [other]), { instanceOf: Refusal });
  for (const line of [first, other].map(successionLine)) {
    t.true(evidence.message.includes(line));
    t.notThrows(() => parseSuccession(line, consortium), "each is signed by the key that was followed");
  }
  t.is(
    reasonOf(() => formatRoster({ consortium, version: 2, successions: [first, other], members: [member] })),
    "roster_mismatch",
  );
  t.is(
    reasonOf(() => successionsSince([first], [])),
    "roster_mismatch",
    "forgotten",
  );
  t.deepEqual(successionsSince([first], [first, second]), [second]);
});

test("keys of a holder lead from one to the next, and never back", (t) => {
  const back = follow("bank", banks[1]!, banks[0]!);
  const apart = follow("bank", banks[2]!, banks[3]!);
  for (const successions of [
    [first, back],
    [first, apart],
  ])
    t.is(
      reasonOf(() => formatRoster({ consortium, version: 2, successions, members: [member] })),
      "note_malformed",
    );
  const text = formatRoster({ consortium, version: 2, successions: [first, second], members: [member] });
  t.is(formatRoster(parseRoster(text)), text);
});

test("a roster of before opens by the one in force, unless that does not come after it", (t) => {
  const now = open(noteOf([first, ofAuditor], [banks[1]!, auditors[1]!], 3));
  const before = noteOf([], [banks[0]!, auditors[0]!], 1);
  t.is(openPastRoster(before, now).version, 1);
  t.is(openPastRoster(noteOf([first], [banks[1]!, auditors[0]!], 2), now).version, 2);
  const other = follow("bank", banks[0]!, banks[3]!);
  t.is(
    reasonOf(() => openPastRoster(noteOf([other], [banks[3]!, auditors[0]!]), now)),
    "roster_mismatch",
  );
});

test("a policy goes on with the keys that follow its own", (t) => {
  const witness = cosignatureVerifier("auditor", auditors[0]!.verifier.publicKey);
  const policy = parsePolicy(formatPolicy(banks[0]!.verifier, [witness], 1));
  const next = followingPolicy(policy, [first, second, ofAuditor]);
  t.is(next.log.key, banks[2]!.verifier.key);
  t.deepEqual(next.witnesses[0]!.publicKey, auditors[1]!.verifier.publicKey);
  t.deepEqual(next.quorum, {
    kind: "group",
    threshold: 1,
    members: [{ kind: "witness", witness: next.witnesses[0]! }],
  });
  t.is(keyInForce([], "bank", banks[3]!.verifier).key, banks[3]!.verifier.key);
  t.true(leadsTo([first, second], "bank", [banks[0]!.keyId], banks[2]!.verifier.key));
  t.false(leadsTo([first, second], "bank", [banks[3]!.keyId], banks[2]!.verifier.key));
});
