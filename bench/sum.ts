import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { split } from "shamir-secret-sharing";
import { type Digest, digestOf, sha256 } from "../core/canonical.ts";
import { x25519Pair } from "../privacy/identity.ts";
import { type Bfv, chunkCount, openBfv } from "../privacy/sum/encryption/bfv.ts";
import { neighbours, type PartyId, sumGraphPlan } from "../privacy/sum/graph.ts";
import { dequantizeSum, type Packing, planPacking, quantize } from "../privacy/sum/layout.ts";
import { addMasks } from "../privacy/sum/mask.ts";
import { pairMask, selfMask } from "../privacy/sum/round-masks.ts";
import { performFold, performUnmask } from "../privacy/sum/work.ts";
import { atMost, type Bench, type BenchOptions, cpuTimer, noted, option } from "./bench.ts";

const parameters = 100_000;
const flatSince = 100;
const roundId = digestOf("bench sum");

export const options: BenchOptions = {
  "--parties <n>": "of the round (1000)",
};

/**
 * The coordinator's share of one round: folding every submission, then rebuilding the secrets of the missing
 * (one party in twenty) and subtracting all masks. What the parties themselves do is made between the measured
 * parts, one party at a time, and not counted. The released sum is checked.
 */
export const bench: Bench = async (args, progress) => {
  const count = Number(option(args, "--parties", "1000"));
  await using cleanup = new AsyncDisposableStack();
  const [partySide, coordinatorSide] = [await openBfv(), await openBfv()];
  cleanup.defer(async () => void (await Promise.all([partySide.close(), coordinatorSide.close()])));
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-bench-"));
  cleanup.defer(() => rm(folder, { recursive: true }));
  const path = (digest: Digest) => join(folder, digest);
  const store = async (blob: Uint8Array): Promise<Digest> => {
    const digest = digestOf(blob);
    await writeFile(path(digest), blob);
    return digest;
  };

  const packing = planPacking({ blocks: [{ name: "w", length: parameters, bound: 32767, step: 1 }] }, count);
  const cohort = cohortOf(count);
  const missing = new Set(cohort.parties.filter((_, i) => i % 20 === 19));
  const key = await partySide.generateKey();
  const sum = coordinatorSide.openSum(chunkCount(packing.slots));
  const residentMegabytes: number[] = [];
  let foldMilliseconds = 0;
  let survivors = 0;
  for (const party of cohort.parties) {
    if (missing.has(party)) continue;
    const chunks: Digest[] = [];
    for (const chunk of await submission(partySide, key, cohort, party, packing))
      chunks.push(await store(chunk));
    const elapsed = cpuTimer();
    const folded = await performFold({ type: "fold", party, chunks }, sum, (digest) =>
      readFile(path(digest)),
    );
    foldMilliseconds += elapsed();
    if (folded.type !== "folded") throw new Error(folded.detail);
    await Promise.all(chunks.map((digest) => rm(path(digest))));
    survivors++;
    residentMegabytes.push(process.memoryUsage.rss() / 2 ** 20);
    if (survivors % 100 === 0) progress(`${survivors} submissions folded`);
  }

  const seeds = cohort.parties
    .filter((party) => !missing.has(party))
    .map((party) => ({ party, seed: selfMaskSeedOf(party) }));
  const rebuild: Awaited<ReturnType<typeof rebuildOf>>[] = [];
  for (const party of missing) rebuild.push(await rebuildOf(cohort, party, missing));
  const elapsed = cpuTimer();
  const unmasked = await performUnmask(
    {
      type: "unmask",
      roundId,
      header: { cohort: cohort.parties, minCohort: 2, follows: null },
      packing,
      threshold: cohort.threshold,
      seeds,
      noise: [],
      rebuild,
    },
    sum,
    store,
  );
  const unmaskMilliseconds = elapsed();
  residentMegabytes.push(process.memoryUsage.rss() / 2 ** 20);
  if (unmasked.type !== "unmasked") throw new Error(`wrong deals: ${unmasked.sharers.join()}`);
  const aggregate = await Promise.all(unmasked.chunks.map((digest) => readFile(path(digest))));
  const slots = await partySide.decrypt(key, aggregate, packing.slots);
  const released = dequantizeSum(slots, packing, survivors);
  if (!released.every((value, i) => value === survivors * valueAt(i))) throw new Error("the sum is wrong");

  const seconds = (milliseconds: number) => Math.round(milliseconds / 10) / 100;
  const highest = Math.round(Math.max(...residentMegabytes));
  const early = Math.max(...residentMegabytes.slice(0, flatSince));
  return {
    bench: "sum",
    runs: 1,
    figures: [
      atMost(
        `${count} parties × ${parameters} 16-bit parameters, ${missing.size} missing`,
        seconds(foldMilliseconds + unmaskMilliseconds),
        "s CPU",
        15,
      ),
      noted("of it folding", seconds(foldMilliseconds), "s CPU"),
      noted("of it rebuilding and unmasking", seconds(unmaskMilliseconds), "s CPU"),
      atMost("highest resident memory, the parties' side included", highest, "MiB", 400),
      atMost(
        `highest resident memory over that of the first ${flatSince} parties`,
        Math.round((100 * highest) / early) / 100,
        "ratio",
        1.1,
      ),
    ],
  };
};

interface Cohort {
  readonly parties: readonly PartyId[];
  readonly neighbours: ReadonlyMap<PartyId, readonly PartyId[]>;
  readonly maskKeys: ReadonlyMap<PartyId, Uint8Array>;
  readonly threshold: number;
}

const maskSecretOf = (party: PartyId) => sha256("mask secret", party);
const selfMaskSeedOf = (party: PartyId) => sha256("self mask", party);
/** Every party contributes the same vector: the sum is then known. */
const valueAt = (i: number) => ((i * 257) % 65535) - 32767;

function cohortOf(count: number): Cohort {
  const parties = Array.from({ length: count }, (_, i) => `party-${String(i).padStart(4, "0")}`);
  const plan = sumGraphPlan(count, Math.max(1, Math.floor(count / 20)));
  if (plan instanceof Error) throw plan;
  const graph = neighbours(parties, sha256("bench sum"), plan.degree);
  return {
    parties,
    neighbours: graph,
    maskKeys: new Map(parties.map((party) => [party, x25519Pair(maskSecretOf(party)).publicKey])),
    threshold: plan.threshold,
  };
}

const neighbourKeys = (cohort: Cohort, party: PartyId) =>
  cohort.neighbours.get(party)!.map((peer) => ({ party: peer, maskKey: cohort.maskKeys.get(peer)! }));

async function submission(
  bfv: Bfv,
  key: Uint8Array,
  cohort: Cohort,
  party: PartyId,
  packing: Packing,
): Promise<Uint8Array[]> {
  const slots = quantize(
    Float64Array.from({ length: parameters }, (_, i) => valueAt(i)),
    packing,
  );
  const own = { party, maskSecret: maskSecretOf(party) };
  const pairs = neighbourKeys(cohort, party).map((peer) => pairMask(roundId, own, peer));
  addMasks(slots, [...pairs, selfMask(roundId, selfMaskSeedOf(party))]);
  return await bfv.encrypt(key, slots);
}

async function rebuildOf(cohort: Cohort, party: PartyId, missing: ReadonlySet<PartyId>) {
  const partners = neighbourKeys(cohort, party).filter((peer) => !missing.has(peer.party));
  const holders = cohort.neighbours.get(party)!.length + 1;
  // Of this slot alone: dealing a whole epoch's is the parties' work, and its memory theirs.
  const shares = await split(new Uint8Array(maskSecretOf(party)), holders, cohort.threshold);
  return {
    kind: "maskSecret" as const,
    party,
    maskKey: cohort.maskKeys.get(party)!,
    partners,
    shares: partners.map((peer, i) => ({ holder: peer.party, share: shares[i]! })),
  };
}
