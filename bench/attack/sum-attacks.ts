/** Attacks on one update, on survivor lists and on the number of sums. */

import type { Reason } from "../../core/reasons.ts";
import { type DesignBasis, designFrom, designMatrix } from "../../models/design.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { x25519Pair } from "../../privacy/identity.ts";
import type { EpochSecrets, OpenEpoch } from "../../privacy/sum/epoch/secrets.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import { type Packing, planPacking, quantize, T } from "../../privacy/sum/layout.ts";
import { addMasks, type MaskTerm } from "../../privacy/sum/mask.ts";
import type { Survivor } from "../../privacy/sum/messages.ts";
import type { LocalFacts } from "../../privacy/sum/party/party.ts";
import { maskKeyOf, pairMask, partnersOf, selfMask } from "../../privacy/sum/round-masks.ts";
import { performSeal } from "../../privacy/sum/work.ts";
import { type Attack, correlation, counted, onStage } from "./attack.ts";
import type { Weakness } from "./local-party.ts";
import type { Round } from "./round.ts";
import { gainOf, minus, Stage, tableOf } from "./stage.ts";

const unmasked: Weakness = {
  onEffect: async (effect, party) =>
    effect.type === "seal"
      ? performSeal({ ...effect, masks: [] }, party.options.bfv, party.secrets!.bfvKey)
      : undefined,
};

/** Remembers neither steps nor rounds. */
const forgetful: Weakness = {
  facts: (facts) => ({ ...facts, seen: false, step: { locked: undefined, spent: undefined } }),
};

const withEpoch = (facts: LocalFacts, change: (epoch: OpenEpoch) => OpenEpoch): LocalFacts => {
  const secrets = facts.epoch!;
  const take: EpochSecrets["take"] = (slot, roundId) => secrets.take(slot, roundId);
  return { ...facts, epoch: { epoch: change(secrets.epoch), bfvKey: secrets.bfvKey, take } as EpochSecrets };
};

/** Takes the header's word for T and for whom it counts on. */
const credulous: Weakness = {
  facts: (facts, { threshold, minCohort }) => {
    const maxColluding = minCohort - 2;
    const { manifest, expiresMillis } = facts.consent!;
    const consent = { expiresMillis, manifest: { ...manifest, privacy: { minCohort, maxColluding } } };
    return withEpoch({ ...facts, consent }, (epoch) => ({
      ...epoch,
      header: { ...epoch.header, threshold, maxColluding },
    }));
  },
};

/** @returns the slots of what a party submitted, as a friend with the key sees them. */
async function seen(stage: Stage, round: Round, party: PartyId): Promise<Float64Array | undefined> {
  const submitted = round.submissions.get(party);
  if (submitted === undefined) return undefined;
  const { slots } = planPacking(round.header.layout, round.header.cohort.length);
  const blobs = submitted.chunks.map((digest) => stage.bank.blobs.get(digest)!);
  return stage.bfv.decrypt(stage.friendKey, blobs, slots);
}

/** @returns how well slots show what the victim submitted. */
async function gainFrom(stage: Stage, { header }: Round, slots: Float64Array | undefined): Promise<number> {
  const packing = planPacking(header.layout, header.cohort.length);
  const truth = quantize(await stage.contributionOf(stage.victim, header), packing);
  return gainOf(slots?.subarray(1), truth.subarray(1));
}

const negative = (terms: readonly MaskTerm[]): MaskTerm[] =>
  terms.map((term) => ({ ...term, sign: term.sign === 1 ? -1 : 1 }));

/** Takes off a submission what the victim's secrets, as far as they are known, make of its masks. */
async function undressed(
  stage: Stage,
  round: Round,
  {
    maskSecret,
    seed,
  }: { readonly maskSecret?: Uint8Array | undefined; readonly seed?: Uint8Array | undefined },
): Promise<Float64Array | undefined> {
  const slots = await seen(stage, round, stage.victim);
  if (slots === undefined) return undefined;
  const { header, roundId } = round;
  const { open } = stage.bank.consortium.epoch;
  const masks: MaskTerm[] = seed?.length === 32 ? [selfMask(roundId, seed)] : [];
  if (maskSecret !== undefined)
    for (const party of partnersOf(open, header, stage.victim)) {
      const peer = { party, maskKey: maskKeyOf(open, header, party) };
      masks.push(pairMask(roundId, { party: stage.victim, maskSecret }, peer));
    }
  addMasks(slots, negative(masks));
  return slots;
}

/** How many honest enterprises submitted. */
const submitters = (round: Round, stage: Stage, met: Reason): number => {
  stage.metBy(met, round);
  return stage.honest.filter((id) => round.submissions.has(id)).length;
};

/** Says two survivor lists, with the victim and without, as one round's. @returns what of the victim's was shown. */
async function twoLists(
  stage: Stage,
  header: RoundHeader,
  met: Reason,
  lists: (round: Round) => readonly { to: readonly PartyId[]; survivors: readonly Survivor[] }[],
): Promise<number> {
  const round = await stage.round(header).open();
  const shown: { maskSecret?: Uint8Array; seed?: Uint8Array } = {};
  const kinds = new Set<string>();
  const friends = stage.friends.map(({ context }) => context.id);
  for (const { to, survivors } of lists(round)) {
    // Friends sign every list and hand over what they hold.
    for (const friend of stage.friends) {
      const { state } = friend;
      if (state.phase !== "ready") friend.rewind();
    }
    round.agreed.length = 0;
    round.unmasks.clear();
    await round.agree(survivors, [...to, ...friends]);
    await round.unmask([...to, ...friends]);
    const maskSecret = await round.rebuilt(stage.victim, "maskSecret");
    const seed =
      round.unmasks.get(stage.victim)?.selfMaskSeed ?? (await round.rebuilt(stage.victim, "selfMask"));
    if (maskSecret !== undefined) shown.maskSecret = maskSecret;
    if (seed?.length === 32) shown.seed = seed;
    for (const party of to) {
      const unmask = round.unmasks.get(party);
      if (unmask?.selfMask.some((share) => share.party === stage.victim)) kinds.add("selfMask");
      if (unmask?.maskSecret.some((share) => share.party === stage.victim)) kinds.add("maskSecret");
    }
  }
  stage.metBy(met, round);
  // A share of each kind from one honest member, where the friends have the rest, is as good as both secrets.
  const both = kinds.size === 2 ? 1 : 0;
  return Math.max(both, await gainFrom(stage, round, await undressed(stage, round, shown)));
}

/** Difference of two sums of one state. */
async function difference(stage: Stage, first: Round, second: Round, met: Reason): Promise<number> {
  stage.metBy(met, second);
  const [all, rest] = [
    await first.read(stage.bfv, stage.friendKey),
    await second.read(stage.bfv, stage.friendKey),
  ];
  return gainOf(minus(all, rest), await stage.contributionOf(stage.victim, first.header));
}

const without = (stage: Stage, party: PartyId): PartyId[] => stage.everyone.filter((id) => id !== party);

/** @returns how far χ² over 64 bins lies above its mean, in standard deviations of it. */
function unevenness(slots: Float64Array, binOf: (slot: number) => number): number {
  const counts = new Float64Array(64);
  for (const slot of slots) counts[binOf(slot)]!++;
  const expected = slots.length / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return Math.abs(chiSquare - freedom) / Math.sqrt(2 * freedom);
}

/** Units of the one hidden layer of the network that is trained. */
const hidden = 24;
const trained: Partial<StudyManifest> = {
  algorithms: [
    { name: "range" },
    { name: "summary" },
    { name: "neural", hidden: [hidden], localEpochs: 1, localBatches: 1 },
  ],
};

/** An enterprise whose rows are all alike: its gradient is one row's. */
const allAlike = (table: Table): Table => ({
  ...table,
  columns: new Map(
    [...table.columns].map(([name, column]) => [
      name,
      column.kind === "numeric" ? { ...column, values: column.values.map(() => column.values[0]!) } : column,
    ]),
  ),
  label: table.label.map(() => 1),
});

/** @returns the entries of a block that has one limb, whether its digits are in range or not. */
function entriesOf(slots: Float64Array, { blocks }: Packing, name: string): Float64Array {
  const block = blocks.find((one) => one.name === name)!;
  const { firstSlot, digitsPerSlot, digitWidth, offset, step } = block;
  return Float64Array.from({ length: block.length }, (_, i) => {
    const slot = slots[firstSlot + Math.floor(i / digitsPerSlot)]!;
    const digit = Math.floor(slot / 2 ** (digitWidth * (i % digitsPerSlot))) % 2 ** digitWidth;
    return (digit - Number(offset)) * step;
  });
}

/**
 * Gradient inversion: in a first layer, the gradient of a unit's weights over that of its bias is the row that it
 * was taken at. @returns how well slots show the victim's.
 */
function rowFrom(stage: Stage, { header }: Round, slots: Float64Array | undefined): number {
  if (slots === undefined) return 0;
  const update = entriesOf(slots, planPacking(header.layout, header.cohort.length), "update");
  const { features } = stage.bank.manifests.get(header.study)!;
  const { results } = stage.stateOf(header);
  const design = designFrom({ features }, results as unknown as DesignBasis);
  const width = design.columns.length;
  const row = designMatrix(design, stage.tableOf(stage.victim)).subarray(0, width);
  const [guess, truth]: [number[], number[]] = [[], []];
  for (let unit = 0; unit < hidden; unit++) {
    const bias = update[width * hidden + unit]!;
    if (bias === 0) continue;
    for (let input = 0; input < width; input++) {
      guess.push(update[input * hidden + unit]! / bias);
      truth.push(row[input]!);
    }
  }
  return gainOf(guess, Float64Array.from(truth));
}

export const sumAttacks: readonly Attack[] = [
  {
    name: "the bank and a friend with the key read one update",
    ...correlation,
    play: onStage({ honest: 3, friends: 1 }, unmasked, async (stage) => {
      const round = await stage.round(await stage.header(await stage.study())).open();
      return gainFrom(stage, round, await seen(stage, round, stage.victim));
    }),
  },
  {
    name: "a submission told from noise by a friend with the key",
    unit: "standard deviations of χ² over what uniform slots have",
    guessing: 6,
    success: 100,
    quick: true,
    play: onStage({ honest: 3, friends: 1 }, unmasked, async (stage) => {
      const round = await stage.round(await stage.header(await stage.study())).open();
      const slots = await seen(stage, round, stage.victim);
      if (slots === undefined) throw new Error("the victim submitted nothing");
      // The highest bits of a slot and its lowest.
      return Math.max(
        unevenness(slots, (slot) => Math.floor(slot / (T / 64))),
        unevenness(slots, (slot) => slot % 64),
      );
    }),
  },
  {
    name: "gradient inversion: a row from the update of a network's first layer",
    ...correlation,
    quick: false,
    play: async (bfv, control) => {
      const honest = ["party-0", "party-1", "party-2"];
      const rows = (id: PartyId): Table => (id === honest[0] ? allAlike(tableOf(id)) : tableOf(id));
      const setting = { honest: honest.length, friends: 1, rows };
      // The steps before are summed as they should be.
      const unmaskedThere: Weakness = {
        onEffect: async (effect, party) =>
          effect.type === "seal" && effect.packing.blocks.some((block) => block.name === "update")
            ? unmasked.onEffect!(effect, party)
            : undefined,
      };
      return onStage(setting, unmaskedThere, async (stage) => {
        const round = await stage.round(await stage.walkTo("neural", await stage.study(trained))).open();
        return rowFrom(stage, round, await seen(stage, round, stage.victim));
      })(bfv, control);
    },
  },
  {
    name: "the same with two friends, their masks taken off",
    ...correlation,
    quick: false,
    play: onStage({ honest: 4, friends: 2, maxColluding: 2 }, unmasked, async (stage) => {
      const manifest = { privacy: { minCohort: 4, maxColluding: 2, unit: "record" } } as const;
      const header = await stage.header(await stage.study(manifest));
      // A friend's secrets of the slot, before its own machine takes them.
      const secrets = stage.friends.map((friend) => friend.peek(header.slot));
      const round = await stage.round(header).open();
      const slots = await seen(stage, round, stage.victim);
      const { open } = stage.bank.consortium.epoch;
      const maskKey = maskKeyOf(open, header, stage.victim);
      const masks = stage.friends.map(({ context: { id } }, i) =>
        pairMask(round.roundId, { party: id, maskSecret: secrets[i]! }, { party: stage.victim, maskKey }),
      );
      // A weak victim put none on.
      if (slots !== undefined && stage.nodes.size > 0) addMasks(slots, masks);
      return gainFrom(stage, round, slots);
    }),
  },
  {
    name: "second sum of a step under another attempt, the victim left out",
    ...correlation,
    play: onStage({ honest: 4, friends: 1 }, forgetful, async (stage) => {
      const study = await stage.study();
      const first = await stage.round(await stage.header(study)).sum();
      const header = await stage.header(study, without(stage, stage.victim), { attempt: 2 });
      return difference(stage, first, await stage.round(header).sum(), "step_spent");
    }),
  },
  {
    name: "the same after a new key epoch without the victim",
    ...correlation,
    quick: false,
    play: onStage({ honest: 4, friends: 1 }, forgetful, async (stage) => {
      const study = await stage.study();
      const first = await stage.round(await stage.header(study)).sum();
      const all = await first.read(stage.bfv, stage.friendKey);
      const rest = without(stage, stage.victim);
      await stage.bank.openEpoch(rest, 1);
      const second = await stage.round(await stage.header(study, rest, { attempt: 2 })).sum();
      stage.metBy("step_spent", second);
      const guess = minus(all, await second.read(stage.bfv, stage.friendKey));
      return gainOf(guess, await stage.contributionOf(stage.victim, first.header));
    }),
  },
  {
    name: "second sum of the same state under another study, the victim left out",
    ...correlation,
    quick: false,
    play: onStage(
      { honest: 4, friends: 1, policy: { exactSums: { perTable: 100, cohortChange: "refuse" } } },
      {},
      async (stage) => {
        const first = await stage.round(await stage.header(await stage.study())).sum();
        const header = await stage.header(await stage.study(), without(stage, stage.victim));
        return difference(stage, first, await stage.round(header).sum(), "cohort_changed");
      },
    ),
  },
  {
    name: "three studies over cohorts of which no two differ by less than minCohort",
    ...correlation,
    play: onStage(
      { honest: 5, friends: 1, policy: { exactSums: { perTable: 100, cohortChange: "refuse" } } },
      {},
      async (stage) => {
        const [v, a, b, c, d] = stage.honest as [string, string, string, string, string];
        const read: (Float64Array | undefined)[] = [];
        let header: RoundHeader | undefined;
        for (const cohort of [
          [v, a, b],
          [v, c, d],
          [a, b, c, d],
        ]) {
          header = await stage.header(await stage.study(), cohort);
          const round = await stage.round(header).sum();
          if (cohort.length === 4 || cohort[1] === c) stage.metBy("cohort_changed", round);
          read.push(await round.read(stage.bfv, stage.friendKey));
        }
        const [one, two, rest] = read;
        const twice = one && two && rest && one.map((x, i) => x + two[i]! - rest[i]!);
        return gainOf(twice, await stage.contributionOf(v, header!));
      },
    ),
  },
  {
    name: "two survivor lists to two groups",
    ...correlation,
    play: onStage({ honest: 3, friends: 1 }, { ...credulous, rewinds: true }, async (stage) => {
      const [v, a, b] = stage.honest as [string, string, string];
      const threshold = stage.nodes.size > 0 ? 3 : 2;
      const header = await stage.header(await stage.study(), stage.everyone, { threshold });
      return twoLists(stage, header, "agreement_missing", (round) => [
        { to: [b], survivors: round.list([v]) },
        { to: [v, a], survivors: round.list() },
      ]);
    }),
  },
  {
    name: "forged drop-out: both kinds of share of the victim",
    ...correlation,
    play: onStage({ honest: 4, friends: 1 }, { rewinds: true }, async (stage) => {
      const [v, ...rest] = stage.honest as [string, ...string[]];
      const header = await stage.header(await stage.study());
      return twoLists(stage, header, "share_conflict", (round) => [
        { to: rest, survivors: round.list([v]) },
        { to: rest, survivors: round.list() },
      ]);
    }),
  },
  {
    name: "a slot reused: the mask secret of one round, the seed of another",
    ...correlation,
    quick: false,
    play: onStage({ honest: 4, friends: 1 }, { lendsSlots: true }, async (stage) => {
      const [v, ...rest] = stage.honest as [string, ...string[]];
      const first = stage.round(await stage.header(await stage.study()));
      await first.open();
      const others = [...rest, ...stage.friends.map(({ context }) => context.id)];
      await first.agree(first.list([v]), others);
      await first.unmask(others);
      const maskSecret = await first.rebuilt(v, "maskSecret");
      const { slot } = first.header;
      const second = await stage
        .round(await stage.header(await stage.study(), stage.everyone, { slot }))
        .sum();
      stage.metBy("slot_spent", second);
      const seed = second.unmasks.get(v)?.selfMaskSeed;
      return gainFrom(stage, first, await undressed(stage, first, { maskSecret, seed }));
    }),
  },
  {
    name: "keys of the bank's own in place of the others'",
    ...correlation,
    play: async (bfv, control) => {
      const own = x25519Pair(new Uint8Array(32).fill(7));
      const exchanged = Buffer.concat(Array.from({ length: 64 }, () => own.publicKey));
      const weakness: Weakness = {
        facts: (facts) =>
          withEpoch(facts, (epoch) => ({
            ...epoch,
            maskKeys: new Map([...epoch.maskKeys.keys()].map((id) => [id, exchanged])),
          })),
      };
      const setting = { honest: 3, friends: 1 };
      await using stage = await Stage.open(bfv, control ? { ...setting, weakness } : setting);
      const failed = await stage.bank.openEpoch(stage.everyone, 1, {
        onWayDown: (to, message) => {
          if (control || message.type !== "epochJoined" || to !== stage.victim) return [message];
          const joined = message.joined.map((one) =>
            one.party === stage.victim ? one : { ...one, maskKeys: exchanged },
          );
          return [{ ...message, joined }];
        },
      });
      if (failed !== undefined) return 0;
      const header = await stage.header(await stage.study());
      const round = await stage.round(header).sum();
      const slots = await undressed(stage, round, { seed: round.unmasks.get(stage.victim)?.selfMaskSeed });
      const victim = {
        party: stage.victim,
        maskKey: maskKeyOf(stage.bank.consortium.epoch.open, header, stage.victim),
      };
      const masks = without(stage, stage.victim).map((party) =>
        pairMask(round.roundId, { party, maskSecret: own.secretKey }, victim),
      );
      if (slots !== undefined) addMasks(slots, masks);
      return gainFrom(stage, round, slots);
    },
  },
  {
    name: "a header with a lower threshold",
    ...counted("honest submissions", 3),
    play: onStage({ honest: 3, friends: 1 }, credulous, async (stage) => {
      const header = await stage.header(await stage.study(), stage.everyone, { threshold: 2 });
      return submitters(await stage.round(header).open(), stage, "threshold_mismatch");
    }),
  },
  {
    name: "a header with a smaller cohort than was consented to",
    ...counted("honest submissions", 1),
    quick: false,
    play: onStage({ honest: 3, friends: 1 }, credulous, async (stage) => {
      const cohort = [stage.victim, stage.friends[0]!.context.id];
      const header = await stage.header(await stage.study(), cohort, { minCohort: 2 });
      return submitters(await stage.round(header).open(), stage, "cohort_too_small");
    }),
  },
  {
    name: "a round played again under its roundId",
    ...counted("second submissions", 3),
    play: onStage({ honest: 3, friends: 1 }, forgetful, async (stage) => {
      const header = await stage.header(await stage.study());
      const first = await stage.round(header).sum();
      await first.release(stage.bfv);
      return submitters(await stage.round(header).open(), stage, "round_replayed");
    }),
  },
  {
    name: "something added to the aggregate",
    ...counted("units added to the released sum", 1),
    play: onStage(
      { honest: 3, friends: 1 },
      {
        onEffect: async (effect) =>
          effect.type === "verify" ? { type: "verified", roundId: effect.roundId, altered: [] } : undefined,
      },
      async (stage) => {
        const round = await stage.round(await stage.header(await stage.study())).sum();
        const truth = await round.read(stage.bfv, stage.friendKey);
        const added = new Float64Array(planPacking(round.header.layout, 4).slots);
        added[1] = T - 1;
        const honest = round.survivors.filter(({ party }) => stage.honest.includes(party));
        const released = await round.release(stage.bfv, added, honest);
        stage.metBy("aggregate_invalid", round);
        return released === undefined ? 0 : Math.max(...released.map((x, i) => Math.abs(x - truth![i]!)));
      },
    ),
  },
];
