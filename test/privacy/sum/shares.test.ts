import test from "ava";
import fc from "fast-check";
import { sha256 } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import { combineShares, shareBytes, splitSecret } from "../../../privacy/sum/shares.ts";
import vectors from "../../vectors/sealed-sum.json" with { type: "json" };

const numRuns = process.env.SLOW ? 300 : 25;
const secretOf = () => fc.uint8Array({ minLength: 32, maxLength: 32 });

async function refusedAs(shares: readonly Uint8Array[], threshold: number): Promise<string> {
  try {
    await combineShares(shares, threshold);
    return "accepted";
  } catch (error) {
    return error instanceof Refusal ? error.reason : String(error);
  }
}

test("vector of another implementation", async (t) => {
  const { threshold, secret } = vectors.shares;
  const shares = vectors.shares.shares.map((share) => Uint8Array.from(Buffer.from(share, "hex")));
  for (const chosen of [shares.slice(0, 3), shares.slice(1), shares.toReversed()])
    t.is(Buffer.from(await combineShares(chosen, threshold)).toString("hex"), secret);
});

test("any threshold of the shares, in any order, give the secret; fewer do not", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      secretOf(),
      fc.integer({ min: 2, max: 40 }),
      fc.nat(),
      fc.infiniteStream(fc.nat()),
      async (secret, holders, t0, stream) => {
        const threshold = 2 + (t0 % (holders - 1));
        const order = new Map<Uint8Array, number>();
        for (const share of await splitSecret(Buffer.from(secret), holders, threshold))
          order.set(share, stream.next().value!);
        const shuffled = [...order.keys()].sort((a, b) => order.get(a)! - order.get(b)!);
        t.deepEqual(await combineShares(shuffled, threshold), secret);
        t.is(await refusedAs(shuffled.slice(0, threshold - 1), threshold), "share_invalid");
        if (threshold > 2)
          t.is(await refusedAs(shuffled.slice(0, threshold - 1), threshold - 1), "share_invalid");
      },
    ),
    { numRuns },
  );
});

test("a share that is changed, cut, doubled or of another secret is refused", async (t) => {
  const shares = await splitSecret(new Uint8Array(32).fill(9), 5, 3);
  const [first, second, third] = shares as [Uint8Array, Uint8Array, Uint8Array];
  for (let at = 0; at < shareBytes; at++) {
    const changed = Uint8Array.from(third);
    changed[at]! ^= 1;
    t.is(await refusedAs([first, second, changed], 3), "share_invalid");
  }
  const onSecret = Uint8Array.from(third);
  onSecret[shareBytes - 1] = 0;
  const secret = new Uint8Array(32).fill(9);
  const check = sha256("fedcredit/share-check\0", secret).subarray(0, 16);
  const atZero = Uint8Array.of(...secret, ...check, 0);
  const foreign = (await splitSecret(new Uint8Array(32).fill(8), 5, 3))[0]!;
  for (const bad of [
    third.subarray(1),
    Uint8Array.of(...third, 0),
    new Uint8Array(),
    first,
    onSecret,
    atZero,
    foreign,
  ])
    t.is(await refusedAs([first, second, bad], 3), "share_invalid");
});

test("two shares tell nothing of a secret that needs three", async (t) => {
  // the first byte's value at a point is uniform, whatever the secret: each of two secrets gives every value
  for (const byte of [0, 255]) {
    const seen = new Set<number>();
    for (let i = 0; i < 3000; i++) seen.add((await splitSecret(new Uint8Array(32).fill(byte), 2, 2))[0]![0]!);
    t.true(seen.size > 250);
  }
});

test("numbers outside the scheme are mistakes", async (t) => {
  const secret = new Uint8Array(32);
  for (const [holders, threshold] of [
    [1, 1],
    [2, 3],
    [256, 3],
    [3, 1],
  ] as const)
    await t.throwsAsync(() => splitSecret(secret, holders, threshold), { instanceOf: RangeError });
  await t.throwsAsync(() => splitSecret(new Uint8Array(31), 3, 2), { instanceOf: RangeError });
});
