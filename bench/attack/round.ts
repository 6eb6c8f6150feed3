/** The four exchanges of a round as a bank plays them that stops where it likes, and what it makes of the answers. */
import { type Digest, digestOf } from "../../core/canonical.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { chunkCount } from "../../privacy/sum/encryption/bfv-format.ts";
import { combineSlot } from "../../privacy/sum/epoch/sharing.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import { encodeHeader, type RoundHeader, roundIdOf } from "../../privacy/sum/header.ts";
import { dequantizeSum } from "../../privacy/sum/layout.ts";
import type {
  Aggregate,
  Lift,
  PartySignature,
  Released,
  Submit,
  Survivor,
  Unmask,
} from "../../privacy/sum/messages.ts";
import { revealedParts } from "../../privacy/sum/noise.ts";
import { packingOf } from "../../privacy/sum/noise-terms.ts";
import {
  burdenOfSum,
  type LeftOver,
  missingPartners,
  type Unmasking,
} from "../../privacy/sum/round-masks.ts";
import { decodeSum } from "../../privacy/sum/sum-encoding.ts";
import type { EvilBank } from "./bank.ts";
import type { Reply } from "./said.ts";

/** How a party answered that did not do as it was told. */
export const why = (reply: Reply): string => (reply.type === "refuse" ? reply.reason : reply.type);

export class Round {
  readonly bank: EvilBank;
  readonly header: RoundHeader;
  readonly roundId: Digest;
  readonly submissions = new Map<PartyId, Submit>();
  readonly agreed: PartySignature[] = [];
  readonly unmasks = new Map<PartyId, Unmask>();
  /** By party, why it did not go on. */
  readonly refusals = new Map<PartyId, string>();
  survivors: readonly Survivor[] = [];

  constructor(bank: EvilBank, header: RoundHeader) {
    this.bank = bank;
    this.header = header;
    this.roundId = roundIdOf(header);
  }

  get members(): readonly PartyId[] {
    return this.bank.consortium.epoch.open.header.members;
  }

  /** Step 0 and 1. Who is outside the cohort only hears of it. */
  async open(lifts: readonly Lift[] = [], to: readonly PartyId[] = this.members): Promise<this> {
    const message = {
      type: "open",
      header: encodeHeader(this.header),
      lifts,
      evidence: new Uint8Array(),
    } as const;
    const cohort = new Set(this.header.cohort);
    await Promise.all(
      to.map(async (party) => {
        if (!cohort.has(party)) return this.bank.say(party, message);
        const reply = await this.bank.ask(party, message);
        if (reply.type === "submit") this.submissions.set(party, reply);
        else this.refusals.set(party, why(reply));
      }),
    );
    return this;
  }

  /** @returns the survivor list of who submitted, without some. */
  list(without: readonly PartyId[] = []): Survivor[] {
    return [...this.submissions]
      .filter(([party]) => !without.includes(party))
      .map(([party, { digest, commitment, noiseCommitment }]) => ({
        party,
        digest,
        commitment,
        noiseCommitment,
      }))
      .sort((a, b) => (a.party < b.party ? -1 : 1));
  }

  /** Step 2. */
  async agree(survivors: readonly Survivor[], to: readonly PartyId[] = this.members): Promise<this> {
    this.survivors = survivors;
    const { roundId } = this;
    await Promise.all(
      to.map(async (party) => {
        const reply = await this.bank.ask(party, { type: "survivors", roundId, survivors });
        if (reply.type === "agree") this.agreed.push({ party, signature: reply.signature });
        else this.refusals.set(party, why(reply));
      }),
    );
    return this;
  }

  /** Step 3. */
  async unmask(to: readonly PartyId[] = this.members): Promise<this> {
    const { roundId, agreed: signatures } = this;
    await Promise.all(
      to.map(async (party) => {
        const reply = await this.bank.ask(party, { type: "agreed", roundId, signatures });
        if (reply.type === "unmask") this.unmasks.set(party, reply);
        else this.refusals.set(party, why(reply));
      }),
    );
    return this;
  }

  /** All three, over who is there. */
  async sum(without: readonly PartyId[] = []): Promise<this> {
    await this.open();
    if (this.submissions.size === 0) return this;
    await this.agree(this.list(without));
    return this.unmask();
  }

  /** @returns a secret of a party that was revealed in shares; undefined where too few were. */
  async rebuilt(party: PartyId, kind: "selfMask" | "maskSecret"): Promise<Uint8Array | undefined> {
    const shares = [...this.unmasks.values()].flatMap((unmask) =>
      unmask[kind].filter((one) => one.party === party).map(({ share }) => share),
    );
    return combineSlot(shares, this.bank.consortium.epoch.open.header.threshold).catch(() => undefined);
  }

  /** @returns the masks of the sum over the survivors, as far as they were revealed; undefined where they were not. */
  async unmasking(): Promise<
    (Unmasking & { readonly shown: Pick<Aggregate, "seeds" | "secrets" | "noise"> }) | undefined
  > {
    const seeds: { party: PartyId; seed: Uint8Array }[] = [];
    for (const { party } of this.survivors) {
      const own = this.unmasks.get(party)?.selfMaskSeed;
      const seed = own?.length === 32 ? own : await this.rebuilt(party, "selfMask");
      if (seed === undefined) return undefined;
      seeds.push({ party, seed });
    }
    const survived = new Set(this.survivors.map(({ party }) => party));
    const leftOver: LeftOver[] = [];
    for (const [party, partners] of missingPartners(this.bank.consortium.epoch.open, this.header, survived)) {
      const maskSecret = await this.rebuilt(party, "maskSecret");
      if (maskSecret === undefined) return undefined;
      leftOver.push({ party, maskSecret, partners });
    }
    const secrets = leftOver.map(({ party, maskSecret }) => ({ party, maskSecret }));
    const noise = this.survivors.flatMap(({ party }) => {
      const seed = this.unmasks.get(party)?.noise;
      return seed === undefined || seed.length === 0 ? [] : [{ party, seed }];
    });
    const excess = noise.flatMap(({ seed }) =>
      revealedParts(this.roundId, this.header, this.survivors.length, seed),
    );
    return {
      seeds: seeds.map(({ seed }) => seed),
      leftOver,
      excess,
      shown: { seeds, secrets, noise },
    };
  }

  /** @returns the aggregate's ciphertexts. */
  async aggregate(bfv: Bfv, unmasking: Unmasking, add?: Float64Array): Promise<Uint8Array[]> {
    const packing = packingOf(this.header);
    const sum = bfv.openSum(chunkCount(packing.slots));
    for (const { party } of this.survivors)
      for (const [index, digest] of this.submissions.get(party)!.chunks.entries())
        await sum.add([{ index, ciphertext: this.bank.blobs.get(digest)! }]);
    await sum.subtract(burdenOfSum(this.roundId, packing, unmasking, 0, packing.slots));
    if (add !== undefined) await sum.subtract(add);
    return sum.finish();
  }

  /** With a friend's key, before anybody released it. @returns the sum; undefined where it was not unmasked. */
  async read(bfv: Bfv, key: Uint8Array): Promise<Float64Array | undefined> {
    const masks = await this.unmasking();
    if (masks === undefined || this.survivors.length === 0) return undefined;
    const packing = packingOf(this.header);
    const slots = await bfv.decrypt(key, await this.aggregate(bfv, masks), packing.slots);
    return dequantizeSum(slots, packing, this.survivors.length);
  }

  /**
   * Step 4, and the end of the round.
   * @param add - subtracted from the aggregate, shape [slots].
   * @param to - who is asked, and told that the round is over.
   * @returns what was released; undefined where nobody did.
   */
  async releases(bfv: Bfv, add?: Float64Array, to: readonly Survivor[] = this.survivors) {
    const masks = await this.unmasking();
    if (masks === undefined) return undefined;
    const chunks = (await this.aggregate(bfv, masks, add)).map((blob) => {
      this.bank.blobs.set(digestOf(blob), blob);
      return digestOf(blob);
    });
    const submissions = this.survivors.map(({ party }) => {
      const { chunks: submitted, signature } = this.submissions.get(party)!;
      return { party, chunks: submitted, signature };
    });
    const { roundId } = this;
    const message: Aggregate = {
      type: "aggregate",
      roundId,
      chunks,
      submissions,
      ...masks.shown,
      first: true,
    };
    const released: (Released & { readonly party: PartyId })[] = [];
    await Promise.all(
      to.map(async ({ party }) => {
        const reply = await this.bank.ask(party, message);
        if (reply.type === "released") released.push({ ...reply, party });
        else this.refusals.set(party, why(reply));
      }),
    );
    const outcome = released.length === 0 ? "aborted" : "released";
    for (const { party } of to)
      this.bank.say(party, { type: "closed", roundId, outcome, reason: "", party: "", certificate: "" });
    const [first] = released;
    return first && { sum: first.sum, released, chunks };
  }

  /** @returns the vector that a released sum stands for. */
  valuesOf(sum: Uint8Array): Float64Array {
    const packing = packingOf(this.header);
    return dequantizeSum(decodeSum(sum, packing.slots), packing, this.survivors.length);
  }

  /** @returns the vector that was released; undefined where nobody released one. */
  async release(bfv: Bfv, add?: Float64Array, to?: readonly Survivor[]): Promise<Float64Array | undefined> {
    const done = await this.releases(bfv, add, to);
    return done && this.valuesOf(done.sum);
  }
}
