import { randomBytes } from "node:crypto";
import { digestOf } from "../core/canonical.ts";
import { secureRandom, seededRandom, uniform } from "../core/random.ts";
import { generateIdentity, signFor, verifyFor, x25519Pair } from "../privacy/identity.ts";
import { ed25519PublicKey } from "../privacy/log/ed25519.ts";
import {
  encodeSum,
  openShares,
  pairMask,
  sealShares,
  selfMask,
  selfMaskCommitment,
  submissionDigest,
} from "../privacy/sum/binding.ts";
import { type Bfv, openBfv } from "../privacy/sum/encryption/bfv.ts";
import { dequantizeSum, type Packing, planPacking, quantize } from "../privacy/sum/layout.ts";
import { addMasks } from "../privacy/sum/mask.ts";
import { splitSecret } from "../privacy/sum/shares.ts";
import { atMost, type Bench, cpuTimer, type Figure, median } from "./bench.ts";

const parties = 32;
const threshold = 22;
const roundId = digestOf("bench seal");
const party = "party-00";

const targets = [
  { parameters: 100_000, milliseconds: 100, bytes: 1.1 },
  { parameters: 1_000_000, milliseconds: 500, bytes: 1.02 },
] as const;

/** Every step of one party of 32 with 16-bit parameters and no drop-outs; CPU time of all threads. */
export const bench: Bench = async (_args, progress) => {
  const runs = 9;
  await using cleanup = new AsyncDisposableStack();
  const bfv = await openBfv();
  cleanup.defer(() => bfv.close());
  const figures: Figure[] = [];
  for (const target of targets) {
    progress(`${target.parameters} parameters`);
    figures.push(...(await sealFigures(bfv, target, runs)));
  }
  return { bench: "seal", runs, figures };
};

async function sealFigures(bfv: Bfv, target: (typeof targets)[number], runs: number): Promise<Figure[]> {
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
  const figure = (name: string, value: number): Figure => ({
    name: `${parameters} parameters, ${name}`,
    value,
    unit: "ms CPU",
    target: null,
    holds: null,
  });
  return [
    atMost(
      `${parameters} parameters, all steps to the submission`,
      of("total"),
      "ms CPU",
      target.milliseconds,
    ),
    figure("of it keys, shares and signatures", of("keys")),
    figure("of it quantize", of("quantize")),
    figure(`of it ${parties} masks`, of("mask")),
    figure("of it encrypt", of("encrypt")),
    figure("of it digests", of("digest")),
    figure("first round, code not yet compiled", Math.round(first.total)),
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
    advertised: signFor("advertise", identity, statement),
    agreed: signFor("agree", identity, statement),
    maskPair: x25519Pair(randomBytes(32)),
    sharePair: x25519Pair(randomBytes(32)),
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
  const spent = { keys: 0, quantize: 0, mask: 0, encrypt: 0, digest: 0, release: 0 };
  const timed = async <T>(step: keyof typeof spent, work: () => T | Promise<T>): Promise<T> => {
    const elapsed = cpuTimer();
    const result = await work();
    spent[step] += elapsed();
    return result;
  };

  const selfMaskSeed = randomBytes(32);
  const { masks, sealed } = await timed("keys", async () => {
    const maskPair = x25519Pair(randomBytes(32));
    const sharePair = x25519Pair(randomBytes(32));
    signFor("advertise", identity, maskPair.publicKey);
    for (const peer of peers)
      if (!verifyFor("advertise", peer.identityKey, peer.statement, peer.advertised))
        throw new Error("advertise");
    const maskKeyShares = await splitSecret(maskPair.secretKey, parties, threshold);
    const selfMaskShares = await splitSecret(selfMaskSeed, parties, threshold);
    const channel = (peer: Peer) => ({
      roundId,
      from: party,
      to: peer.id,
      shareSecret: sharePair.secretKey,
      peerKey: peer.sharePair.publicKey,
    });
    const toPeers = peers.map((peer, i) =>
      sealShares(channel(peer), { maskKeyShare: maskKeyShares[i]!, selfMaskShare: selfMaskShares[i]! }),
    );
    // a channel's key is the same at both ends, so that what ours sealed stands for what the peer would send
    for (const [i, peer] of peers.entries())
      if (openShares(channel(peer), toPeers[i]!) === undefined) throw new Error("share");
    const pairs = peers.map((peer) =>
      pairMask(
        roundId,
        { party, maskSecret: maskPair.secretKey },
        { party: peer.id, maskKey: peer.maskPair.publicKey },
      ),
    );
    return { masks: [...pairs, selfMask(roundId, selfMaskSeed)], sealed: toPeers };
  });

  const slots = await timed("quantize", () => quantize(update, packing));
  await timed("mask", () => addMasks(slots, masks));
  const ciphertexts = await timed("encrypt", () => bfv.encrypt(key, slots));
  const digest = await timed("digest", () => submissionDigest(ciphertexts.map((chunk) => digestOf(chunk))));

  const signatures = await timed("keys", () => {
    selfMaskCommitment(roundId, selfMaskSeed);
    const submitted = signFor("submit", identity, Buffer.from(digest, "hex"));
    const agreed = signFor("agree", identity, Buffer.from(digest, "hex"));
    for (const peer of peers)
      if (!verifyFor("agree", peer.identityKey, peer.statement, peer.agreed)) throw new Error("agree");
    return [submitted, agreed];
  });

  const sum = await bfv.encrypt(key, quantize(update, packing));
  await timed("release", async () => {
    const released = await bfv.decrypt(key, sum, packing.slots);
    dequantizeSum(released, packing, 1);
    digestOf(encodeSum(released));
  });

  const upload = [...ciphertexts, ...sealed, ...signatures];
  return {
    ...spent,
    total: spent.keys + spent.quantize + spent.mask + spent.encrypt + spent.digest,
    uploadBytes: upload.reduce((bytes, part) => bytes + part.length, 0),
  };
}
