/** Step 4: one sum, signed by a quorum of its survivors; or their word that it is none. */
import { toBase64 } from "../../../core/bytes.ts";
import type { Digest } from "../../../core/canonical.ts";
import type { SumCertificate } from "../certificate.ts";
import { halfEvidence, halvesOf } from "../evidence.ts";
import type { PartyId } from "../graph.ts";
import { dequantizeSum } from "../layout.ts";
import { releaseQuorum, sumSalt, type UnmaskingSecrets } from "../statements.ts";
import { decodeSum } from "../sum-encoding.ts";
import { aggregateStatement } from "./accept.ts";
import {
  askedAgain,
  ended,
  entered,
  farewell,
  hasFault,
  type In,
  isOut,
  lost,
  sendTo,
  signatureList,
  sorted,
  survivorList,
  withFaults,
} from "./rules.ts";
import type { Agreeing, CoordinatorContext, CoordinatorEffect, CoordinatorStep, Fault } from "./state.ts";

/** Deadlines until a release is given up: the step is spent, its sum must not be lost to one. */
const releaseWaits = 2;

/** Every survivor may sign the sum it is part of, whatever it was late with. */
export function beginRelease(
  {
    round,
    submissions,
    signatures,
    unmasked,
  }: Omit<Agreeing, "unfolded"> & Pick<In<"releasing">, "unmasked">,
  secrets: UnmaskingSecrets,
  chunks: readonly Digest[],
  context: CoordinatorContext,
  before: readonly CoordinatorEffect[] = [],
): CoordinatorStep {
  const ids = [...submissions.keys()];
  const first = ids.find((id) => !round.gone.has(id) && !hasFault(round, id)) ?? ids[0]!;
  return entered(
    {
      phase: "releasing",
      round,
      submissions,
      signatures,
      unfolded: new Set(),
      secrets,
      chunks,
      unmasked,
      first,
      released: new Map(),
      invalid: new Map(),
    },
    context,
    before,
  );
}

type Verdict =
  /** More answers may decide it. */
  | { readonly kind: "open" }
  /** A quorum agrees and whoever was asked for the sum will not give it. */
  | { readonly kind: "ask"; readonly first: PartyId }
  | {
      readonly kind: "agreed";
      readonly digest: Digest;
      readonly sum: Uint8Array;
      readonly signers: readonly PartyId[];
    }
  | { readonly kind: "invalid" }
  | { readonly kind: "disputed" };

export function verdict(state: In<"releasing">, { epoch }: CoordinatorContext): Verdict {
  const { round, submissions, released, invalid, first } = state;
  const quorum = releaseQuorum(submissions.size, epoch.header.maxColluding);
  if (invalid.size >= quorum) return { kind: "invalid" };
  const tally = [...Map.groupBy(sorted(released), ([, { digest }]) => digest)];
  const agreed = tally.find(([, said]) => said.length >= quorum);
  if (agreed !== undefined) {
    const [digest, said] = agreed;
    const signers = said.map(([party]) => party);
    const sum = signers.map((party) => released.get(party)!.sum).find(({ length }) => length > 0);
    if (sum !== undefined) return { kind: "agreed", digest, sum, signers };
    const answer = released.get(first);
    const gives =
      !isOut(round, first) &&
      !round.gone.has(first) &&
      !invalid.has(first) &&
      (answer === undefined || answer.digest === digest);
    const next = signers.find((party) => party !== first && !isOut(round, party) && !round.gone.has(party));
    return gives || next === undefined ? { kind: "open" } : { kind: "ask", first: next };
  }
  const open = [...submissions.keys()].filter(
    (party) => !released.has(party) && !invalid.has(party) && !isOut(round, party),
  ).length;
  const most = Math.max(invalid.size, ...tally.map(([, said]) => said.length));
  return most + open >= quorum ? { kind: "open" } : { kind: "disputed" };
}

/** Acts on the verdict, where there is one. */
export function settle(state: In<"releasing">, context: CoordinatorContext): CoordinatorStep {
  const result = verdict(state, context);
  switch (result.kind) {
    case "open":
      return { state, effects: [] };
    case "ask": {
      const next = { ...state, first: result.first };
      return { state: next, effects: [sendTo(next, result.first, context)] };
    }
    case "agreed":
      return advance(state, result, context);
    case "invalid":
      return split(state);
    case "disputed":
      return lost(state.round, "round_lost", "no quorum of survivors signs one digest of the sum");
  }
}

/** A sum that was unmasked is not given up at the first deadline: the missing are asked again, others for the sum. */
export function releaseDeadline(state: In<"releasing">, context: CoordinatorContext): CoordinatorStep {
  const { round, released, first } = state;
  if (round.waits + 1 >= releaseWaits)
    return lost(round, "round_lost", "too few survivors are left to release the sum");
  const silent = !released.has(first) || released.get(first)!.sum.length === 0;
  const fault: readonly Fault[] = silent
    ? [{ party: first, reason: "party_late", detail: "did not give the sum it was asked for" }]
    : [];
  const late = { ...state, round: withFaults(round, fault) };
  const next = [...released.keys(), ...late.submissions.keys()].find(
    (party) => party !== first && !hasFault(late.round, party) && !round.gone.has(party),
  );
  const asked = askedAgain({ ...late, first: silent && next !== undefined ? next : first }, context);
  const repeated = silent && next !== undefined && released.has(next);
  return {
    state: asked.state,
    effects: [
      ...fault.map(
        (f): CoordinatorEffect => ({
          type: "record",
          record: { kind: "fault", roundId: round.roundId, fault: f },
        }),
      ),
      ...(repeated ? [sendTo(asked.state as In<"releasing">, next, context)] : []),
      ...asked.effects,
    ],
  };
}

function advance(
  state: In<"releasing">,
  { digest, sum, signers }: Extract<Verdict, { readonly kind: "agreed" }>,
  context: CoordinatorContext,
): CoordinatorStep {
  const { round, submissions, released } = state;
  const { roundId, header, packing } = round;
  const detail = "signed another sum than the quorum";
  const faults = sorted(released)
    .filter(([, said]) => said.digest !== digest)
    .map(([party]): Fault => ({ party, reason: "digest_mismatch", detail }));
  const survivors = [...submissions.keys()];
  const values = dequantizeSum(decodeSum(sum, packing.slots), packing, survivors.length);
  return {
    state: { phase: "released", round: withFaults(round, faults), survivors, digest },
    effects: [
      ...faults.map(
        (fault): CoordinatorEffect => ({ type: "record", record: { kind: "fault", roundId, fault } }),
      ),
      {
        type: "advance",
        roundId,
        header,
        sum: { values, parties: survivors.length },
        survivors,
        certificate: certificateOf(state, sum, signers, context),
      },
    ],
  };
}

function certificateOf(
  state: In<"releasing">,
  sum: Uint8Array,
  signers: readonly PartyId[],
  { epoch }: CoordinatorContext,
): SumCertificate {
  const { round, secrets, signatures, released } = state;
  const { unmasking, aggregate } = aggregateStatement(state);
  const inText = ({ party, signature }: { party: PartyId; signature: Uint8Array }) => ({
    party,
    signature: toBase64(signature),
  });
  return {
    format: "fedcredit/sum-certificate/v1",
    header: round.header,
    epoch: { header: epoch.header, transcript: epoch.transcript },
    survivors: survivorList(state).map(({ noiseCommitment, ...survivor }) => ({
      ...survivor,
      ...(noiseCommitment === "" ? {} : { noiseCommitment }),
    })),
    agreed: signatureList(signatures).map(inText),
    unmasking,
    aggregate,
    salt: Buffer.from(sumSalt(round.roundId, secrets)).toString("hex"),
    sum: toBase64(sum),
    released: signers.map((party) => inText({ party, signature: released.get(party)!.signature })),
  };
}

/** Nobody can say whose vector it was: the survivors are split, once. */
function split({ round, secrets, chunks, invalid }: In<"releasing">): CoordinatorStep {
  const { roundId, header, faults } = round;
  const signatures = signatureList(invalid);
  const halves = header.follows?.kind === "half" ? undefined : halvesOf(secrets.seeds, header.minCohort);
  const detail = "a count or a digit of the sum is out of range";
  if (halves === undefined) return lost(round, "sum_invalid", detail, signatures);
  const evidence = halfEvidence(secrets, chunks, signatures);
  const state = { phase: "split", roundId, faults, halves, evidence } as const;
  return ended(state, round, "sum_invalid", detail, signatures);
}

/** The sum is the bank's and its model has moved on. */
export function onAdvanced({ round }: In<"released">, certificate: Digest): CoordinatorStep {
  const { roundId, faults } = round;
  const closed: In<"closed"> = { phase: "closed", roundId, faults, certificate };
  return { state: closed, effects: farewell(closed, round) };
}
