/** Attacks on the state chain: states, steps and certificates of the bank's own making. */
import { digestOf } from "../../core/canonical.ts";
import type { Reason } from "../../core/reasons.ts";
import { advanceStudy, startStudy } from "../../models/study-loop.ts";
import { entryBytes } from "../../privacy/log/entry.ts";
import {
  certificateDigest,
  encodeCertificate,
  type SumCertificate,
  survivorsOf,
} from "../../privacy/sum/certificate.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { encodeHeader, type RoundHeader, roundIdOf } from "../../privacy/sum/header.ts";
import type { LocalFacts } from "../../privacy/sum/party/party.ts";
import {
  signStatement,
  submissionDigest,
  sumDigest,
  sumSalt,
  survivorsDigest,
  unmaskingDigest,
} from "../../privacy/sum/statements.ts";
import { type Attack, counted, onStage } from "./attack.ts";
import type { Weakness } from "./local-party.ts";
import type { Round } from "./round.ts";
import { Stage } from "./stage.ts";

/** Takes the bank's word for what comes next, as the first version did. */
const believing: Weakness = {
  facts: (facts: LocalFacts, { round, algorithm, state, layout, noise }: RoundHeader): LocalFacts => ({
    ...facts,
    next: { round, algorithm, state, layout, noise, among: undefined },
  }),
};

const submitters = (round: Round, stage: Stage, met: Reason): number => {
  stage.metBy(met, round);
  return stage.honest.filter((id) => round.submissions.has(id)).length;
};

const twoSteps = { algorithms: [{ name: "range" }, { name: "summary" }] };

/**
 * A first step that the victim unmasks and hears no more of; then a second one, with the certificate that `forge`
 * makes of the real one. @returns whether the victim goes on.
 */
async function afterCertificate(
  stage: Stage,
  forge: ((real: SumCertificate) => SumCertificate) | "none",
): Promise<number> {
  const study = await stage.study(twoSteps);
  const round = await stage.round(await stage.header(study)).sum();
  const masks = (await round.unmasking())!;
  const asked = round.survivors.filter(({ party }) => party !== stage.victim);
  const { sum, released, chunks } = (await round.releases(stage.bfv, undefined, asked))!;
  const { header: of, transcript, confirmations } = stage.bank.consortium.epoch.open;
  const inText = (all: readonly { party: string; signature: Uint8Array }[]) =>
    all
      .map(({ party, signature }) => ({ party, signature: Buffer.from(signature).toString("base64") }))
      .sort((a, b) => (a.party < b.party ? -1 : 1));
  const real: SumCertificate = {
    format: "fedcredit/sum-certificate/v1",
    header: round.header,
    epoch: { header: of, transcript },
    survivors: round.survivors.map(({ noiseCommitment: _, ...survivor }) => survivor),
    agreed: inText(round.agreed),
    unmasking: unmaskingDigest(masks.shown),
    aggregate: submissionDigest(chunks),
    salt: Buffer.from(sumSalt(round.roundId, masks.shown)).toString("hex"),
    sum: Buffer.from(sum).toString("base64"),
    released: inText(released),
  };
  const shown = forge === "none" ? real : forge(real);
  const entry = {
    type: "round.released",
    time: Date.now(),
    roundId: round.roundId,
    certificate: certificateDigest(shown),
    sum: sumDigest(Buffer.from(shown.salt, "hex"), Buffer.from(shown.sum, "base64")),
    signers: shown.released.map(({ party }) => party),
    state: digestOf("after"),
  } as const;
  const index = stage.bank.log.append(entryBytes(entry as never));
  if (forge !== "none")
    stage.bank.certificates = [
      {
        round: 1,
        canonicalJson: Buffer.from(encodeCertificate(shown)),
        entry: index,
        confirmations: confirmations.map(({ party, signature }) => ({
          party,
          signature: Buffer.from(signature),
        })),
        roster: stage.bank.rosterNote,
      },
    ];
  const values = round.valuesOf(Buffer.from(shown.sum, "base64"));
  const parties = round.survivors.length;
  const next = await advanceStudy(study.manifest, startStudy(study.manifest), { values, parties });
  const header = await stage.header(study, stage.everyone, { round: 2 }, next);
  const second = await stage.round(header).open([], [stage.victim]);
  const came = second.submissions.has(stage.victim);
  if (!came) stage.metBy(forge === "none" ? "state_mismatch" : "certificate_forged", second);
  return came ? 1 : 0;
}

/** Another sum, signed anew by the bank's friend alone. */
const otherSum =
  (stage: Stage) =>
  (real: SumCertificate): SumCertificate => {
    const bytes = Buffer.from(real.sum, "base64");
    // One more in the first count: within every bound.
    bytes.writeUIntLE(bytes.readUIntLE(6, 6) + 1, 6, 6);
    const friend = stage.friends[0]!.context;
    const roundId = roundIdOf(real.header);
    const statement = {
      purpose: "release",
      survivors: survivorsDigest(survivorsOf(real)),
      unmasking: real.unmasking,
      aggregate: real.aggregate,
      digest: sumDigest(Buffer.from(real.salt, "hex"), bytes),
    } as const;
    const signature = signStatement(roundId, friend.id, statement, friend.identity);
    const released = real.released.map((one) =>
      one.party === friend.id ? { ...one, signature: Buffer.from(signature).toString("base64") } : one,
    );
    return { ...real, sum: bytes.toString("base64"), released };
  };

/** Each refusal is an entry of the node's ledger, which nothing is ever taken out of. @returns how many the bank gets */
async function refusedRounds(bfv: Bfv, control: boolean): Promise<number> {
  await using stage = await Stage.open(bfv, { honest: 3, ...(control ? { weakness: {} } : {}) });
  const header = await stage.header(await stage.study());
  const until = Date.now() + 2000;
  let refused = 0;
  for (let i = 0; Date.now() < until; i++) {
    const unknown = { ...header, study: digestOf(`study ${i}`), threshold: 2 };
    const reply = await stage.bank.ask(
      stage.victim,
      { type: "open", header: encodeHeader(unknown), lifts: [], evidence: new Uint8Array() },
      1000,
    );
    if (reply.type === "refuse") refused++;
  }
  return refused;
}

/** So is each answer to the opening of a key epoch. @returns how many the bank gets */
async function refusedEpochs(bfv: Bfv, control: boolean): Promise<number> {
  await using stage = await Stage.open(bfv, { honest: 3, ...(control ? { weakness: {} } : {}) });
  const { bank, victim } = stage;
  let refused = 0;
  bank.onEpoch = () => void refused++;
  const until = Date.now() + 2000;
  for (let epoch = 0; Date.now() < until; epoch++) {
    bank.say(victim, { type: "openEpoch", header: Buffer.from(JSON.stringify({ epoch })) });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return refused;
}

export const stateAttacks: readonly Attack[] = [
  {
    name: "a state of the bank's own making",
    ...counted("honest submissions on it", 3),
    play: onStage({ honest: 3, friends: 1 }, believing, async (stage) => {
      const header = await stage.header(await stage.study(), stage.everyone, {
        state: digestOf("saturated weights"),
      });
      return submitters(await stage.round(header).open(), stage, "state_mismatch");
    }),
  },
  {
    name: "a layout of the bank's own making",
    ...counted("honest submissions in it", 1),
    quick: false,
    play: onStage({ honest: 3, friends: 1 }, believing, async (stage) => {
      const header = await stage.header(await stage.study());
      const blocks = header.layout.blocks.map((block) => ({ ...block, bound: block.bound * 2 }));
      return submitters(
        await stage.round({ ...header, layout: { blocks } }).open(),
        stage,
        "header_mismatch",
      );
    }),
  },
  {
    name: "a round after the manifest's last",
    ...counted("honest submissions", 3),
    play: onStage({ honest: 3, friends: 1 }, believing, async (stage) => {
      const study = await stage.study();
      const first = await stage.round(await stage.header(study)).sum();
      await first.release(stage.bfv);
      const change = { round: 2, algorithm: { index: 0, name: "range", step: 1 } };
      return submitters(
        await stage.round(await stage.header(study, stage.everyone, change)).open(),
        stage,
        "state_mismatch",
      );
    }),
  },
  {
    name: "the first step again as a later round",
    ...counted("honest submissions", 3),
    quick: false,
    play: onStage({ honest: 3, friends: 1 }, believing, async (stage) => {
      const study = await stage.study();
      const first = await stage.round(await stage.header(study)).sum();
      await first.release(stage.bfv);
      const header = await stage.header(study, stage.everyone, { round: 2 });
      return submitters(await stage.round(header).open(), stage, "state_mismatch");
    }),
  },
  {
    name: "a withheld sum: the next step without its certificate",
    ...counted("submissions on a state that the victim has not computed", 1),
    quick: false,
    play: onStage({ honest: 3, friends: 1 }, believing, (stage) => afterCertificate(stage, "none")),
  },
  {
    name: "a sum certificate with another sum, signed by a friend",
    ...counted("submissions on the state that follows from it", 1),
    play: onStage({ honest: 3, friends: 1 }, believing, async (stage) => {
      // The bank's own certificate is believed: what is refused is the other sum.
      if ((await afterCertificate(stage, (real) => real)) === 0)
        throw new Error("the genuine one is refused");
      return afterCertificate(stage, otherSum(stage));
    }),
  },
  {
    name: "another log in the header's checkpoint",
    ...counted("honest submissions under a forked log", 3),
    play: onStage({ honest: 3, friends: 1 }, believing, async (stage) => {
      stage.bank.log.append("an entry");
      const first = await stage.round(await stage.header(await stage.study())).sum();
      await first.release(stage.bfv);
      const next = await stage.study();
      stage.bank.log.rewrite(1, "another entry");
      stage.bank.log.append("and one more");
      const round = await stage.round(await stage.header(next)).open();
      if (stage.nodes.size > 0) await stage.allEnded("log_forked");
      return submitters(round, stage, "log_forked");
    }),
  },
  {
    name: "rounds that are refused, one after the other",
    unit: "refusals written in two seconds",
    guessing: 60,
    success: 100,
    quick: false,
    play: refusedRounds,
  },
  {
    name: "key epochs that are refused, one after the other",
    unit: "refusals written in two seconds",
    guessing: 60,
    success: 100,
    quick: false,
    play: refusedEpochs,
  },
];
