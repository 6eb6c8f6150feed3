import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import { modelsRecomputed } from "../../../privacy/log/document-rules.ts";
import { epsilonOfSpends } from "../../../privacy/log/spend.ts";
import { protectionOf } from "../../../privacy/sum/protection.ts";
import { manifest, study } from "../../support/log.ts";

const delta = 1e-6;
const noisy = {
  ...manifest,
  unprotected: [],
  privacy: { ...manifest.privacy, noise: { multiplier: 4, delta, dropOuts: 0 } },
};
const event = {
  mechanism: "gaussian",
  unit: "record",
  sensitivity: 0.25,
  sigma: 1,
  samplingRate: 1,
  count: 1,
} as const;
const spends = [
  { event, members: ["a", "b"] },
  { event, members: ["a"] },
];
const besides = { event, members: ["a", "b"], unreleased: true } as const;
const [model, sum] = [
  digestOf("model"),
  { roundId: digestOf("r"), algorithm: "range", certificate: digestOf("c"), state: digestOf("s") },
];

/** @returns what the rule says of a model that states a cost. */
function saidOf(cost: object | undefined): string | undefined {
  const { consortium, name, purpose, legalBasis, algorithms, unprotected, privacy } = noisy;
  const { noise, ...rest } = privacy;
  const document = {
    ...{
      format: "fedcredit/model/v1",
      consortium,
      study,
      name,
      purpose,
      legalBasis,
      algorithms,
      results: {},
    },
    lineage: { state: sum.state, rounds: [{ ...sum, parties: 3 }] },
    protection: {
      ...protectionOf(noise),
      ...rest,
      unprotected,
      smallestCohort: 3,
      ...(cost ? { cost } : {}),
    },
    publishedMillis: 1,
  };
  const state = {
    attachments: new Map([[model, { kind: "model", digest: model, value: document }]]),
    studies: new Map([
      [study, { manifest: noisy, released: [{ ...sum, survivors: 3 }], spends: [...spends, besides] }],
    ]),
  };
  const entry = {
    type: "model.published",
    time: 2,
    model,
    study,
    rounds: 1,
    lineage: "",
    smallestCohort: 3,
    unprotected,
  };
  return modelsRecomputed(undefined)(entry as never, state as never, undefined as never);
}

test("a model says no less than what its sums cost the enterprise that was in most of them", (t) => {
  const epsilon = epsilonOfSpends(spends, delta, "record");
  t.is(saidOf({ delta, epsilon }), undefined);
  t.is(saidOf({ delta, epsilon: 1.01 * epsilon }), undefined, "it may say more");
  t.regex(saidOf({ delta, epsilon: 0.99 * epsilon }) ?? "", /its sums cost ε = .* and it says less/);
  t.regex(saidOf({ delta: 1e-3, epsilon }) ?? "", /it says less/);
  t.is(saidOf(undefined), "its protection is not the one that ran");
});
