import { hkdfSync } from "node:crypto";
import test from "ava";
import { seededRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import {
  agreeKey,
  checkEd25519Key,
  checkX25519Key,
  exportIdentity,
  forgetSecret,
  generateIdentity,
  importIdentity,
  publicIdentity,
  signFor,
  verifyFor,
  x25519Pair,
} from "../../privacy/identity.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const identity = generateIdentity("riverbank/lathe-works", seededRandom("identity"));
const { publicKey } = parseVerifierKey(publicIdentity(identity).verifierKey);
const payload = Buffer.from("payload");

// RFC 7748 section 6.1
const alice = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
const bob = bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
const bobKey = bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
const shared = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");

test("public keys and the agreed secret are those of RFC 7748", (t) => {
  t.is(
    Buffer.from(x25519Pair(alice).publicKey).toString("hex"),
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  );
  t.deepEqual(x25519Pair(bob).publicKey, bobKey);
  t.deepEqual(
    agreeKey(alice, bobKey, "salt", "info"),
    new Uint8Array(hkdfSync("sha256", shared, "salt", "info", 32)),
  );
});

test("both ends agree on a key that salt and info bind", (t) => {
  const random = seededRandom("agree");
  const [a, b] = [x25519Pair(random.bytes(32)), x25519Pair(random.bytes(32))];
  const key = agreeKey(a.secretKey, b.publicKey, "round 1", "mask");
  t.deepEqual(agreeKey(b.secretKey, a.publicKey, "round 1", "mask"), key);
  t.notDeepEqual(agreeKey(b.secretKey, a.publicKey, "round 2", "mask"), key);
  t.notDeepEqual(agreeKey(b.secretKey, a.publicKey, "round 1", "share"), key);
});

test("what is remembered of one key is not taken for another's", (t) => {
  const random = seededRandom("remembered");
  const pair = () => x25519Pair(random.bytes(32));
  const [a, b, c] = [pair(), pair(), pair()];
  const agreed = (own: typeof a, peer: typeof a) => agreeKey(own.secretKey, peer.publicKey, "salt", "info");
  const first = agreed(a, b);
  t.notDeepEqual(agreed(a, c), first);
  t.notDeepEqual(agreed(c, b), first);
  t.deepEqual(agreed(a, b), first);
  const other = generateIdentity("riverbank/mill", random);
  const theirs = parseVerifierKey(publicIdentity(other).verifierKey).publicKey;
  const signature = signFor("agree", identity, payload);
  t.true(verifyFor("agree", publicKey, payload, signature));
  t.false(verifyFor("agree", theirs, payload, signature));
  t.false(verifyFor("agree", publicKey, payload, signFor("agree", other, payload)));
  t.true(verifyFor("agree", theirs, payload, signFor("agree", other, payload)));
});

test("a public key that gives no secret is refused", (t) => {
  const { secretKey } = x25519Pair(seededRandom("low").bytes(32));
  for (const key of [new Uint8Array(32), new Uint8Array(31), new Uint8Array(33)])
    t.like(
      t.throws(() => agreeKey(secretKey, key, "", "")),
      { reason: "message_malformed" },
    );
});

test("a signature verifies for its purpose, key and bytes only", (t) => {
  const signature = signFor("agree", identity, payload);
  t.true(verifyFor("agree", publicKey, payload, signature));
  t.false(verifyFor("release", publicKey, payload, signature));
  t.false(verifyFor("agree", publicKey, Buffer.from("payloae"), signature));
  t.false(verifyFor("agree", identity.hpke.publicKey, payload, signature));
  t.false(verifyFor("agree", publicKey, payload, signature.subarray(1)));
});

test("an exported identity comes back whole; anything else is refused", (t) => {
  const text = exportIdentity(identity);
  t.deepEqual(importIdentity(text), identity);
  for (const bad of [
    "",
    text.slice(1),
    text.slice(0, -1),
    `${text}\n`,
    text.replace("lathe", "\nlathe"),
    text.replace(/\n[A-Za-z0-9+/]{43}=\n/, "\nAAAA\n"),
  ])
    t.like(
      t.throws(() => importIdentity(bad)),
      { reason: "file_malformed" },
    );
});

// Little-endian. Source: https://cr.yp.to/ecdh.html, "How do I validate Curve25519 public keys?": the seven that
// fit in 255 bits; an implementation that ignores the highest bit, as RFC 7748 asks, takes each twice.
const lowOrder = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
];

test("the published points of low order give no secret, and are refused as keys", (t) => {
  for (const hex of lowOrder)
    for (const bit of [0, 0x80]) {
      const key = bytes(hex);
      key[31]! |= bit;
      t.throws(() => agreeKey(alice, key, "salt", "info"), { instanceOf: Refusal }, hex);
      t.like(
        t.throws(() => checkX25519Key(key, "mill")),
        { reason: "key_low_order", party: "mill" },
        hex,
      );
    }
});

test("an X25519 key has 32 bytes and one encoding; those that secrets give pass", (t) => {
  t.like(
    t.throws(() => checkX25519Key(new Uint8Array(31))),
    { reason: "message_malformed" },
  );
  const twin = Uint8Array.from(bobKey);
  twin[31]! |= 0x80;
  t.deepEqual(agreeKey(alice, twin, "s", "i"), agreeKey(alice, bobKey, "s", "i"));
  t.like(
    t.throws(() => checkX25519Key(twin)),
    { reason: "key_low_order" },
  );
  // p + 9 is the base point once more
  t.throws(() => checkX25519Key(bytes(`f6${"ff".repeat(30)}7f`)));
  t.notThrows(() => checkX25519Key(bytes(`09${"00".repeat(31)}`)));
  const random = seededRandom("x25519 keys");
  for (let i = 0; i < 64; i++)
    t.notThrows(() => checkX25519Key(x25519Pair(Uint8Array.from(random.bytes(32))).publicKey));
});

test("an Ed25519 key of low order, or of a second encoding, is refused", (t) => {
  // Source: libsodium, ge25519_has_small_order
  const listed = [
    ...lowOrder.filter((_, i) => i !== 2 && i !== 3),
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  ];
  for (const hex of listed)
    for (const sign of [0, 0x80]) {
      const key = bytes(hex);
      key[31]! |= sign;
      t.like(
        t.throws(() => checkEd25519Key(key)),
        { reason: "key_low_order" },
        hex,
      );
    }
  t.like(
    t.throws(() => checkEd25519Key(new Uint8Array(33))),
    { reason: "message_malformed" },
  );
  t.notThrows(() => checkEd25519Key(publicKey));
});

test("a forgotten secret is zero", (t) => {
  const { secretKey } = x25519Pair(Uint8Array.from(alice));
  agreeKey(secretKey, bobKey, "s", "i");
  forgetSecret(secretKey);
  t.deepEqual(secretKey, new Uint8Array(32));
});
