/** The coordinator's machine, event by event. */
import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import { signStatement } from "../../../privacy/sum/binding.ts";
import {
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  coordinatorStep,
  openRound,
  resumeRelease,
} from "../../../privacy/sum/coordinator/coordinator.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import { type RoundHeader, roundIdOf } from "../../../privacy/sum/header.ts";
import type { Advertise } from "../../../privacy/sum/messages.ts";
import { idleParty, partyStep } from "../../../privacy/sum/party/party.ts";
import { type Consortium, simulatedHeader, willingFacts } from "../../../privacy/sum/simulation.ts";
import {
  attempt,
  closeBfv,
  consortiumOf,
  partyIds,
  sharedBfv,
  smallLayout,
} from "../../support/sealed-sum.ts";

let bfv: Bfv;
let consortium: Consortium;
let header: RoundHeader;
const ids = partyIds(4);
const [a, b, c] = ids as [string, string, string];
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(4, bfv);
  header = simulatedHeader(consortium, { layout: smallLayout, minCohort: 2, round: 1 }, ids);
});
test.after.always(closeBfv);

const step = (state: CoordinatorState, event: CoordinatorEvent) => coordinatorStep(state, event, consortium);
const run = (events: readonly CoordinatorEvent[], state = openRound(header, consortium).state) => {
  const effects: CoordinatorEffect[] = [];
  for (const event of events) {
    const next = step(state, event);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
};
/** What an honest party says to the header. */
const advertise = (party: string): Advertise => {
  const { effects } = partyStep(
    idleParty,
    {
      type: "open",
      message: { type: "open", header: Buffer.from(openHeader()) },
      local: willingFacts(header),
    },
    consortium.parties.get(party)!,
  );
  const [, sent] = effects;
  if (sent?.type !== "send" || sent.message.type !== "advertise")
    throw new Error("the party did not advertise");
  return sent.message;
};
const openHeader = (): Uint8Array => {
  const [first] = openRound(header, consortium).effects;
  if (first?.type !== "send" || first.message.type !== "open") throw new Error("the round did not open");
  return first.message.header;
};
const said = (from: string, message = advertise(from)): CoordinatorEvent => ({
  type: "message",
  from,
  message,
});
const faults = (state: CoordinatorState): string[] =>
  ("round" in state ? state.round.faults : state.faults).map(({ party, reason }) => `${party} ${reason}`);
const sentTo = (effects: readonly CoordinatorEffect[], type: string): string[] =>
  effects.flatMap((effect) => (effect.type === "send" && effect.message.type === type ? effect.to : []));

test("opening tells the header to the whole cohort and starts the timer", (t) => {
  const { state, effects } = openRound(header, consortium);
  t.is(state.phase, "advertising");
  t.deepEqual(sentTo(effects, "open"), ids);
  t.deepEqual(effects.at(-1), { type: "wait", wait: 1, seconds: 1 });
});

test("a header of another roster is a mistake; too few organisations or an overflow are refused", (t) => {
  t.throws(() => openRound({ ...header, roster: digestOf("x") }, consortium), { instanceOf: RangeError });
  t.throws(() => openRound({ ...header, cohort: [...ids, "stranger"] }, consortium), {
    instanceOf: RangeError,
  });
  t.like(
    t.throws(() => openRound({ ...header, minCohort: 5 }, consortium)),
    { reason: "cohort_too_small" },
  );
  const blocks = [{ name: "x", length: 1, bound: 2 ** 900, step: 2 ** -900 }];
  t.like(
    t.throws(() => openRound({ ...header, layout: { blocks } }, consortium)),
    { reason: "layout_overflow" },
  );
});

test("the step is over when everyone has answered", (t) => {
  const three = run(ids.slice(0, 3).map((id) => said(id)));
  t.is(three.state.phase, "advertising");
  const { state, effects } = step(three.state, said(ids[3]!));
  t.is(state.phase, "sharing");
  t.deepEqual(sentTo(effects, "keys"), ids);
  t.like(effects.at(-1), { type: "wait", wait: 2 });
});

test("a party that is gone is not waited for; back before the step ends, it is asked again", (t) => {
  const gone = run([{ type: "gone", party: a }, said(b), said(c)]);
  t.is(gone.state.phase, "advertising");
  const back = step(gone.state, { type: "joined", party: a });
  t.deepEqual(sentTo(back.effects, "open"), [a]);
  t.deepEqual(sentTo(step(back.state, { type: "joined", party: b }).effects, "open"), []);
  const without = step(gone.state, said(ids[3]!));
  t.is(without.state.phase, "sharing");
  t.deepEqual(faults(without.state), [`${a} party_gone`]);
});

test("a deadline goes on with whoever is there and names who is late; a stale one does nothing", (t) => {
  const three = run(ids.slice(0, 3).map((id) => said(id))).state;
  const { state, effects } = step(three, { type: "deadline", wait: 1 });
  t.is(state.phase, "sharing");
  t.deepEqual(faults(state), [`${ids[3]} party_late`]);
  t.deepEqual(sentTo(effects, "keys"), ids.slice(0, 3));
  t.deepEqual(step(state, { type: "deadline", wait: 1 }), { state, effects: [] });
});

test("below the threshold the attempt is aborted with its causes", (t) => {
  const two = run([said(a), said(b)]).state;
  const { state, effects } = step(two, { type: "deadline", wait: 1 });
  t.like(state, { phase: "aborted", reason: "too_few_survivors", excluded: ids.slice(2) });
  t.deepEqual(sentTo(effects, "closed"), ids);
  t.like(
    effects.find(({ type, ...e }) => type === "record" && "record" in e && e.record.kind === "aborted"),
    { record: { reason: "too_few_survivors" } },
  );
});

test("an advertised key must be signed by its party for this round, and be new", (t) => {
  const message = advertise(a);
  const { state } = run([said(a, { ...message, signature: new Uint8Array(64) })]);
  t.deepEqual(faults(state), [`${a} signature_invalid`]);
  t.deepEqual(faults(run([said(b, message)]).state), [`${b} signature_invalid`]);

  const { identity } = consortium.parties.get(b)!;
  const { maskKey, shareKey } = message;
  const roundId = roundIdOf(header);
  const signature = signStatement(roundId, b, { purpose: "advertise", maskKey, shareKey }, identity);
  const copied = said(b, { ...message, signature });
  t.deepEqual(faults(run([said(a, message), copied]).state), [`${b} key_duplicate`]);

  const short = new Uint8Array(31);
  const signed = signStatement(roundId, b, { purpose: "advertise", maskKey: short, shareKey }, identity);
  t.deepEqual(faults(run([said(b, { ...message, maskKey: short, signature: signed })]).state), [
    `${b} message_malformed`,
  ]);
});

test("messages of strangers, of other attempts and from the future", (t) => {
  const { state } = openRound(header, consortium);
  const roundId = roundIdOf(header);
  t.deepEqual(step(state, said("stranger", advertise(a))), { state, effects: [] });
  t.deepEqual(step(state, said(a, { ...advertise(a), roundId: digestOf("x") })), { state, effects: [] });
  const early = step(state, {
    type: "message",
    from: a,
    message: { type: "agree", roundId, signature: new Uint8Array() },
  });
  t.deepEqual(faults(early.state), [`${a} message_unexpected`]);
});

test("a refusal drops the party; two that name the same other party exclude it too", (t) => {
  const roundId = roundIdOf(header);
  const refuse = (from: string, party: string): CoordinatorEvent => ({
    type: "message",
    from,
    message: { type: "refuse", roundId, reason: "share_invalid", party, detail: "" },
  });
  const one = run([refuse(a, c)]);
  t.deepEqual(faults(one.state), [`${a} party_refused`]);
  const two = run([refuse(a, c), refuse(b, c)]);
  t.deepEqual(faults(two.state), [`${a} party_refused`, `${b} party_refused`, `${c} share_invalid`]);
  const apart = run([refuse(a, c), refuse(b, "")]);
  t.deepEqual(faults(apart.state), [`${a} party_refused`, `${b} party_refused`]);
});

test("the coordinator itself can end an attempt at any time", (t) => {
  const { state, effects } = run([
    said(a),
    { type: "abort", reason: "coordinator_restarted", detail: "drain" },
  ]);
  t.like(state, { phase: "aborted", reason: "coordinator_restarted", excluded: [] });
  t.deepEqual(sentTo(effects, "closed"), ids);
  // who comes later is told
  t.deepEqual(sentTo(step(state, { type: "joined", party: a }).effects, "closed"), [a]);
});

test("states survive a structured clone, and a release point is plain JSON", async (t) => {
  const done = await attempt({ consortium, bfv });
  const [point] = done.points;
  t.deepEqual(JSON.parse(JSON.stringify(point)), point);
  const { state } = resumeRelease(point!, consortium);
  t.deepEqual(structuredClone(state), state);
  t.deepEqual(structuredClone(done.coordinator), done.coordinator);
});

test("a release is asked for again before it is given up", async (t) => {
  const done = await attempt({ consortium, bfv });
  let { state, effects } = resumeRelease(done.points[0]!, consortium);
  t.deepEqual(sentTo(effects, "aggregate"), ids);
  for (const wait of [1, 2]) {
    ({ state, effects } = step(state, { type: "deadline", wait }));
    t.is(state.phase, "releasing");
    t.deepEqual(sentTo(effects, "aggregate"), ids);
  }
  ({ state } = step(state, { type: "deadline", wait: 3 }));
  t.like(state, { phase: "aborted", reason: "release_disputed", excluded: ids });
});

test("at the release a party that was late or gone before is asked again when it is back", async (t) => {
  const done = await attempt({ consortium, bfv });
  const faults = [{ party: b, reason: "party_late", detail: "while unmasking" } as const];
  const resumed = resumeRelease({ ...done.points[0]!, faults }, consortium).state;
  const { state } = step(resumed, { type: "gone", party: b });
  t.deepEqual(sentTo(step(state, { type: "joined", party: b }).effects, "aggregate"), [b]);
});

test("what the log is told: submissions, survivors, faults, the end", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: { dropsBefore: (id) => (id === a ? "submit" : undefined) },
  });
  t.deepEqual(
    done.roundRecords.map((record) => (record.kind === "submitted" ? record.party : record.kind)),
    [b, c, ids[3], "fault", "survivors"],
  );
  t.like(done.coordinator, { phase: "closed" });
});
