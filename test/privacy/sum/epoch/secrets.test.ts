import test from "ava";
import fc from "fast-check";
import { digestOf } from "../../../../core/canonical.ts";
import { seededRandom } from "../../../../core/random.ts";
import { EpochSecrets, type OpenEpoch } from "../../../../privacy/sum/epoch/secrets.ts";
import {
  bundleBytes,
  bundleHashes,
  combineSlot,
  isBundleOf,
  shareOf,
  splitSlots,
} from "../../../../privacy/sum/epoch/sharing.ts";

const random = seededRandom("slots");
const fresh = () => Array.from({ length: 64 }, () => Uint8Array.from(random.bytes(32)));
const [one, two] = [digestOf("round one"), digestOf("round two")];

const made = () => {
  const own = { maskSecrets: fresh(), selfMaskSeeds: fresh() };
  const bundle = Uint8Array.from(random.bytes(bundleBytes));
  const bfvKey = Uint8Array.from(random.bytes(100));
  const held = new Map([["peer", bundle]]);
  return { own, bundle, bfvKey, secrets: new EpochSecrets({} as OpenEpoch, bfvKey, own, held) };
};
const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

test("a slot gives its own secrets, again to the same round, as copies", (t) => {
  const { own, bundle, secrets } = made();
  const taken = secrets.take(5, one);
  t.deepEqual(taken.maskSecret, own.maskSecrets[5]);
  t.deepEqual(taken.selfMaskSeed, own.selfMaskSeeds[5]);
  t.deepEqual(taken.held.get("peer"), {
    maskSecret: shareOf(bundle, 5, "maskSecret"),
    selfMask: shareOf(bundle, 5, "selfMask"),
  });
  t.deepEqual(secrets.take(5, one), taken);
  taken.maskSecret.fill(0);
  t.false(isZero(own.maskSecrets[5]!));
});

test("a slot serves one round, and none after a higher one", (t) => {
  const { secrets } = made();
  secrets.take(5, one);
  for (const [slot, round] of [
    [5, two],
    [4, one],
    [0, two],
    [64, two],
    [-1, two],
    [5.5, two],
  ] as const)
    t.like(
      t.throws(() => secrets.take(slot, round)),
      { reason: "slot_spent" },
    );
  t.notThrows(() => secrets.take(6, two));
  t.like(
    t.throws(() => secrets.take(5, one)),
    { reason: "slot_spent" },
  );
});

test("what is below the slot taken is erased, the rest is not", (t) => {
  const { own, bundle, secrets } = made();
  secrets.take(2, one);
  secrets.take(40, two);
  for (let slot = 0; slot < 64; slot++)
    for (const secret of [
      own.maskSecrets[slot]!,
      own.selfMaskSeeds[slot]!,
      shareOf(bundle, slot, "maskSecret").subarray(0, 32),
      shareOf(bundle, slot, "selfMask").subarray(0, 32),
    ])
      t.is(isZero(secret), slot < 40, `slot ${slot}`);
});

test("an epoch that is over holds nothing and gives nothing", (t) => {
  const { own, bundle, bfvKey, secrets } = made();
  secrets.take(1, one);
  secrets.erase();
  for (const bytes of [bundle, bfvKey, ...own.maskSecrets, ...own.selfMaskSeeds]) t.true(isZero(bytes));
  t.like(
    t.throws(() => secrets.take(1, one)),
    { reason: "slot_spent" },
  );
});

test("any T shares of a slot give its secrets, T − 1 and malformed ones are refused", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 63 }),
      async (threshold, more, slot) => {
        const own = { maskSecrets: fresh(), selfMaskSeeds: fresh() };
        const bundles = await splitSlots(own, threshold + more, threshold);
        const shares = (kind: "maskSecret" | "selfMask") =>
          bundles.slice(more).map((b) => shareOf(b, slot, kind));
        t.deepEqual(
          Uint8Array.from(await combineSlot(shares("maskSecret"), threshold)),
          own.maskSecrets[slot],
        );
        t.deepEqual(
          Uint8Array.from(await combineSlot(shares("selfMask"), threshold)),
          own.selfMaskSeeds[slot],
        );
        const [first, ...rest] = shares("selfMask");
        for (const wrong of [
          rest,
          [first!.subarray(1), ...rest],
          [rest[0]!, ...rest],
          [new Uint8Array(33), ...rest],
        ])
          t.like(await t.throwsAsync(combineSlot(wrong, threshold)), { reason: "share_invalid" });
      },
    ),
    { numRuns: process.env.SLOW ? 100 : 5 },
  );
});

test("a bundle's hashes are of its sharer, holder, slot and kind", (t) => {
  const bundle = Uint8Array.from(random.bytes(bundleBytes));
  bundle[bundleBytes - 1] = 7;
  const place = { view: one, sharer: "a", holder: "b" };
  const hashes = bundleHashes(place, bundle);
  t.true(isBundleOf(place, bundle, hashes));
  t.false(isBundleOf({ ...place, sharer: "b", holder: "a" }, bundle, hashes));
  t.false(isBundleOf({ ...place, view: two }, bundle, hashes));
  t.false(isBundleOf(place, bundle.subarray(1), hashes));
  const same = new Uint8Array(bundleBytes).fill(1);
  const texts = new Set(
    Array.from({ length: 128 }, (_, i) =>
      Buffer.from(bundleHashes(place, same).subarray(32 * i, 32 * i + 32)).toString("hex"),
    ),
  );
  t.is(texts.size, 128);
  const noCoordinate = bundle.slice();
  noCoordinate[bundleBytes - 1] = 0;
  t.false(isBundleOf(place, noCoordinate, bundleHashes(place, noCoordinate)));
});
