import { randomBytes } from "node:crypto";
import { digestOf } from "../core/canonical.ts";
import { secureRandom, seededRandom, uniform } from "../core/random.ts";
import { generateIdentity, signFor, verifyFor, x25519Pair } from "../privacy/identity.ts";
import { ed25519PublicKey } from "../privacy/log/ed25519.ts";
import { type Bfv, openBfv } from "../privacy/sum/encryption/bfv.ts";
import { sumGraphPlan } from "../privacy/sum/graph.ts";
import { dequantizeSum, type Packing, planPacking, quantize } from "../privacy/sum/layout.ts";
import { addMasks } from "../privacy/sum/mask.ts";
import { pairMask, selfMask } from "../privacy/sum/round-masks.ts";
import { foundConsortium } from "../privacy/sum/simulation.ts";
import { honestCheckers, spotCheck } from "../privacy/sum/spot-check.ts";
import { revealedDigest, selfMaskCommitment, submissionDigest } from "../privacy/sum/statements.ts";
import { encodeSum } from "../privacy/sum/sum-encoding.ts";
import { performVerify } from "../privacy/sum/work.ts";
import { atMost, type Bench, cpuTimer, type Figure, median, noted } from "./bench.ts";

const parties = 32;
const colluding = 1;
const plan = sumGraphPlan(parties, colluding);
if (plan instanceof Error) throw plan;
const { threshold } = plan;
const roundId = digestOf("bench seal");
const party = "party-00";

const targets = [
  { parameters: 100_000, milliseconds: 40, bytes: 1.1 },
  { parameters: 1_000_000, milliseconds: 200, bytes: 1.02 },
] as const;

/** Every step of one party of 32 with 16-bit parameters and no drop-outs; CPU time of all threads. */
export const bench: Bench = async (_args, progress) => {
  const runs = 9;
  await using cleanup = new AsyncDisposableStack();
  const bfv = await openBfv();
  cleanup.defer(() => bfv.close());
  progress(`key epoch of ${parties}`);
  const setUp = await setUpShare(bfv);
  const figures: Figure[] = [];
  for (const target of targets) {
    progress(`${target.parameters} parameters`);
    figures.push(...(await sealFigures(bfv, target, setUp, runs)));
  }
  return { bench: "seal", runs, figures };
};

/** @returns CPU milliseconds of one party and round: an epoch's, the coordinator's own share counted in. */
async function setUpShare(bfv: Bfv): Promise<number> {
  const members = new Map(
    Array.from({ length: parties }, (_, i) => [`party-${String(i).padStart(2, "0")}`, `Ltd ${i}`]),
  );
  const elapsed = cpuTimer();
  const { epoch } = await foundConsortium("bench", members, bfv, secureRandom, colluding);
  return elapsed() / parties / epoch.open.header.slots;
}

async function sealFigures(
  bfv: Bfv,
  target: (typeof targets)[number],
  setUp: number,
  runs: number,
): Promise<Figure[]> {
  const { parameters } = target;
  const packing = planPacking(
    { blocks: [{ name: "w", length: parameters, bound: 32767, step: 1 }] },
    parties,
  );
  const random = seededRandom("bench seal");
  const update = Float64Array.from({ length: parameters }, () => (uniform(random) * 2 - 1) * 32767);
  const peers = Array.from({ length: parties - 1 }, (_, i) => peerOf(i + 1));
  const key = await bfv.generateKey();
  const rounds: Round[] = [];
  for (let run = 0; run <= runs; run++) rounds.push(await partyRound(bfv, key, packing, update, peers));
  const [first, ...warm] = rounds as [Round, ...Round[]];
  const of = (step: keyof Round) => Math.round(10 * median(warm.map((round) => round[step]))) / 10;
  const figure = (name: string, value: number): Figure =>
    noted(`${parameters} parameters, ${name}`, value, "ms CPU");
  return [
    atMost(
      `${parameters} parameters, all steps to unmasking and the epoch's share`,
      Math.round(10 * (of("total") + setUp)) / 10,
      "ms CPU",
      target.milliseconds,
    ),
    figure("of it the epoch's share", Math.round(10 * setUp) / 10),
    figure("of it keys and signatures", of("keys")),
    figure("of it quantize", of("quantize")),
    figure(`of it ${parties} masks`, of("mask")),
    figure("of it encrypt", of("encrypt")),
    figure("of it digests", of("digest")),
    figure("first round, code not yet compiled", Math.round(first.total)),
    figure("release: recompute what was picked", of("verify")),
    figure("release: decrypt, check, digest", of("release")),
    atMost(
      `${parameters} parameters, bytes up`,
      Math.round((1000 * first.uploadBytes) / (4 * parameters)) / 1000,
      "× float32",
      target.bytes,
    ),
  ];
}

type Peer = ReturnType<typeof peerOf>;

/** Another party: what it would send to ours. */
function peerOf(index: number) {
  const id = `party-${String(index).padStart(2, "0")}`;
  const identity = generateIdentity(`bench/${id}`, secureRandom);
  const statement = Buffer.from(`${roundId} ${id}`);
  return {
    id,
    identityKey: ed25519PublicKey(identity.signingSeed),
    statement,
    agreed: signFor("agree", identity, statement),
    maskPair: x25519Pair(randomBytes(32)),
  };
}

/** CPU milliseconds of each part of a round. */
interface Round {
  readonly total: number;
  readonly keys: number;
  readonly quantize: number;
  readonly mask: number;
  readonly encrypt: number;
  readonly digest: number;
  readonly verify: number;
  readonly release: number;
  readonly uploadBytes: number;
}

async function partyRound(
  bfv: Bfv,
  key: Uint8Array,
  packing: Packing,
  update: Float64Array,
  peers: readonly Peer[],
): Promise<Round> {
  const identity = generateIdentity(`bench/${party}`, secureRandom);
  const spent = { keys: 0, quantize: 0, mask: 0, encrypt: 0, digest: 0, verify: 0, release: 0 };
  const timed = async <T>(step: keyof typeof spent, work: () => T | Promise<T>): Promise<T> => {
    const elapsed = cpuTimer();
    const result = await work();
    spent[step] += elapsed();
    return result;
  };

  const selfMaskSeed = randomBytes(32);
  const masks = await timed("keys", () => {
    const maskSecret = randomBytes(32);
    const pairs = peers.map((peer) =>
      pairMask(roundId, { party, maskSecret }, { party: peer.id, maskKey: peer.maskPair.publicKey }),
    );
    return [...pairs, selfMask(roundId, selfMaskSeed)];
  });

  const slots = await timed("quantize", () => quantize(update, packing));
  await timed("mask", () => addMasks(slots, masks));
  const ciphertexts = await timed("encrypt", () => bfv.encrypt(key, slots));
  const digest = await timed("digest", () => submissionDigest(ciphertexts.map((chunk) => digestOf(chunk))));

  const signatures = await timed("keys", () => {
    selfMaskCommitment(roundId, selfMaskSeed);
    const submitted = signFor("submit", identity, Buffer.from(digest, "hex"));
    const agreed = signFor("agree", identity, Buffer.from(digest, "hex"));
    for (const peer of peers.slice(0, threshold))
      if (!verifyFor("agree", peer.identityKey, peer.statement, peer.agreed)) throw new Error("agree");
    const selfMasks = peers.map(({ id }) => ({ party: id, share: randomBytes(33) }));
    const revealed = revealedDigest({
      selfMaskSeed,
      selfMask: selfMasks,
      maskSecret: [],
      noise: new Uint8Array(),
    });
    const unmasked = signFor("unmask", identity, Buffer.from(revealed, "hex"));
    return [submitted, agreed, unmasked, ...selfMasks.map(({ share }) => share)];
  });

  // what others submitted is as large as what this party did, and added up in its place
  const blobs = new Map(ciphertexts.map((chunk) => [digestOf(chunk), chunk]));
  const picked = spotCheck(ciphertexts.length, 0, honestCheckers(parties, colluding), secureRandom).map(
    (index) => {
      const submitted = digestOf(ciphertexts[index]!);
      return { index, aggregate: submitted, submitted: new Array<string>(parties).fill(submitted) };
    },
  );
  const unmasking = { seeds: peers.map(() => selfMaskSeed), leftOver: [], excess: [] };
  await timed("verify", () =>
    performVerify({ type: "verify", roundId, packing, picked, unmasking }, bfv, async (d) => blobs.get(d)!),
  );

  const sum = await bfv.encrypt(key, quantize(update, packing));
  await timed("release", async () => {
    const released = await bfv.decrypt(key, sum, packing.slots);
    dequantizeSum(released, packing, 1);
    digestOf(encodeSum(released));
  });

  const upload = [...ciphertexts, ...signatures];
  return {
    ...spent,
    total: spent.keys + spent.quantize + spent.mask + spent.encrypt + spent.digest,
    uploadBytes: upload.reduce((bytes, part) => bytes + part.length, 0),
  };
}
