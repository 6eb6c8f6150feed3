import test from "ava";
import { canonicalBytes, digestOf } from "../../../core/canonical.ts";
import {
  encodeHeader,
  parseHeader,
  type RoundHeader,
  roundIdOf,
  sumProtocol,
} from "../../../privacy/sum/header.ts";
import { layersOff, protectionOf } from "../../../privacy/sum/protection.ts";

const header: RoundHeader = {
  protocol: sumProtocol,
  consortium: "riverbank",
  study: digestOf("study"),
  round: 3,
  attempt: 2,
  algorithm: { index: 1, name: "logistic", step: 2 },
  state: digestOf("state"),
  roster: digestOf("roster"),
  cohort: ["cold-chain", "lathe-works", "mill"],
  minCohort: 3,
  threshold: 2,
  epoch: digestOf("epoch"),
  slot: 5,
  layout: { blocks: [{ name: "gradient", length: 30, bound: 1e6, step: 2 ** -40 }] },
  protection: protectionOf(undefined),
  unprotected: ["noise"],
  follows: null,
  checkpoint: "riverbank\n1\n",
  stepSeconds: 120,
};

test("a header comes back from its bytes, and its digest is the roundId", (t) => {
  const bytes = encodeHeader(header);
  t.deepEqual(parseHeader(bytes), header);
  t.is(roundIdOf(header), digestOf(bytes));
});

test("every field changes the roundId", (t) => {
  const other: RoundHeader = {
    protocol: sumProtocol,
    consortium: "other",
    study: digestOf("x"),
    round: 4,
    attempt: 3,
    algorithm: { ...header.algorithm, step: 3 },
    state: digestOf("x"),
    roster: digestOf("x"),
    cohort: ["lathe-works", "mill"],
    minCohort: 2,
    threshold: 3,
    epoch: digestOf("x"),
    slot: 6,
    layout: { blocks: [{ ...header.layout.blocks[0]!, bound: 1 }] },
    protection: header.protection,
    unprotected: header.unprotected,
    follows: { kind: "half", of: digestOf("x") },
    checkpoint: "",
    stepSeconds: 60,
  };
  const fixed = ["protocol", "protection", "unprotected"];
  for (const field of Object.keys(header).filter((name) => !fixed.includes(name))) {
    const changed = { ...header, [field]: other[field as keyof RoundHeader] };
    t.not(roundIdOf(changed), roundIdOf(header), field);
  }
});

const noise = { colluding: 1, dropOuts: 0, samplingRate: 1, sensitivity: 0.1, variances: [100] };

test("a header that is not strictly one is refused", (t) => {
  const { stepSeconds: _, ...missing } = header;
  for (const [name, value] of Object.entries({
    missing,
    unknown: { ...header, extra: 1 },
    protocol: { ...header, protocol: "fedcredit/sealed-sum/v1" },
    "masks off": { ...header, protection: { ...header.protection, masks: false } },
    "another encryption": { ...header, protection: { ...header.protection, encryption: "none" } },
    "noise that is not there": { ...header, protection: { ...header.protection, noise: "gaussian" } },
    "an unnamed gap": { ...header, unprotected: [] },
    "noise under a header that says there is none": { ...header, noise },
    "noise of fewer blocks than there are": {
      ...header,
      protection: protectionOf(noise),
      unprotected: [],
      noise: { ...noise, variances: [] },
    },
    alone: { ...header, cohort: ["mill"] },
    unsorted: { ...header, cohort: ["mill", "lathe-works"] },
    twice: { ...header, cohort: ["mill", "mill"] },
    "minCohort 1": { ...header, minCohort: 1 },
    "negative slot": { ...header, slot: -1 },
    "follows by another name": { ...header, follows: { kind: "again", of: header.study } },
    "threshold 1": { ...header, threshold: 1 },
    "fractional round": { ...header, round: 1.5 },
    "upper-case digest": { ...header, state: header.state.toUpperCase() },
    unbounded: { ...header, layout: { blocks: [{ name: "x", length: 1, bound: 0, step: 1 }] } },
    "not an object": 7,
  }))
    t.like(
      t.throws(() => parseHeader(canonicalBytes(value)), undefined, name),
      { reason: "message_malformed" },
    );
});

test("the same header in other bytes is refused", (t) => {
  const text = Buffer.from(encodeHeader(header)).toString();
  for (const variant of [
    ` ${text}`,
    text.slice(0, -1),
    JSON.stringify(header),
    text.replace('"round":3', '"round":3.0'),
    text.replace('"round":3', '"round":2,"round":3'),
  ])
    t.like(
      t.throws(() => parseHeader(Buffer.from(variant))),
      { reason: "message_malformed" },
    );
  t.like(
    t.throws(() => parseHeader(Buffer.from([0xff, 0xfe]))),
    { reason: "message_malformed" },
  );
});

test("what the header says is off is what is off", (t) => {
  t.deepEqual(header.unprotected, [...layersOff(header.protection)]);
});
