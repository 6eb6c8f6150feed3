import test from "ava";
import { type Demand, planEpoch, whyStale } from "../../../coordinator/authority/epoch-plan.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { Member, Roster } from "../../../privacy/roster.ts";
import type { OpenEpoch } from "../../../privacy/sum/epoch/secrets.ts";
import { neighbours, sumGraphPlan } from "../../../privacy/sum/graph.ts";

const ids = ["dyer", "kiln", "lathe", "mill", "truck", "weaver"];

/** A roster in which `mill` and `truck` are of one organisation. */
const roster = {
  consortium: "riverbank",
  version: 1,
  digest: "roster",
  members: ids.map((id) => ({ id, organisation: id === "truck" ? "mill Ltd" : `${id} Ltd` }) as Member),
  byId: new Map(
    ids.map((id) => [id, { id, organisation: id === "truck" ? "mill Ltd" : `${id} Ltd` } as Member]),
  ),
} as unknown as Roster;

const demand = (changes: Partial<Demand> = {}): Demand => ({
  eligible: ids,
  minCohort: 3,
  maxColluding: 1,
  stepSeconds: 10,
  ...changes,
});
const demands = (...all: Demand[]) => new Map(all.map((one, i) => [`study-${i}`, one]));

/** An epoch of the plan, with everyone as they were when it was opened. */
function opened(plan: ReturnType<typeof planEpoch>, changes: { slotsTaken?: number; gone?: string[] } = {}) {
  const graph = sumGraphPlan(plan.members.length, plan.maxColluding);
  if (graph instanceof Refusal) throw graph;
  const header = { roster: roster.digest, members: plan.members, maxColluding: plan.maxColluding, ...graph };
  const around = neighbours(plan.members, new Uint8Array(32), graph.degree);
  return {
    epoch: { header, neighbours: around } as unknown as OpenEpoch,
    slotsTaken: changes.slotsTaken ?? 0,
    connected: new Set(plan.members.filter((id) => !changes.gone?.includes(id))),
  };
}

test("one member an organisation: first who can contribute", (t) => {
  t.deepEqual(planEpoch(roster, ids, demands(demand())).members, ["dyer", "kiln", "lathe", "mill", "weaver"]);
  const only = demand({ eligible: ["dyer", "kiln", "truck"] });
  t.deepEqual(planEpoch(roster, ids, demands(only)).members, ["dyer", "kiln", "lathe", "truck", "weaver"]);
});

test("it counts on as many colluding as any study that can be served, and waits as long as the most patient", (t) => {
  const careful = demand({ minCohort: 4, maxColluding: 2, stepSeconds: 30 });
  t.like(planEpoch(roster, ids, demands(demand(), careful)), { maxColluding: 2, stepSeconds: 30 });
  const few = demand({ minCohort: 5, maxColluding: 3, eligible: ids.slice(0, 3) });
  t.like(
    planEpoch(roster, ids, demands(demand(), few)),
    { maxColluding: 1, stepSeconds: 10 },
    "few is not served",
  );
  t.throws(() => planEpoch(roster, ids, demands(few)), { message: /too few/ });
  t.throws(() => planEpoch(roster, ids.slice(0, 2), demands(demand())), { message: /too few/ });
});

test("another epoch: roster, slots, who came back, more colluding, fewer than T; not because one left", (t) => {
  const now = demands(demand());
  const plan = planEpoch(roster, ids, now);
  t.is(whyStale(opened(plan), roster, plan, now), undefined);
  t.regex(whyStale(opened(plan), { ...roster, digest: "another" }, plan, now)!, /roster/);
  t.regex(whyStale(opened(plan, { slotsTaken: 64 }), roster, plan, now)!, /slots/);
  const away = { gone: ["mill"] };
  t.regex(whyStale(opened(plan, { ...away, slotsTaken: 1 }), roster, plan, now)!, /mill came/);
  t.is(whyStale(opened(plan, away), roster, plan, now), undefined, "first it serves those who stayed");
  const all = demands(demand({ minCohort: 5 }));
  t.regex(whyStale(opened(plan, away), roster, plan, all)!, /mill came/, "they are too few for this study");
  const without = planEpoch(roster, ["dyer", "kiln", "lathe", "weaver"], now);
  t.is(whyStale(opened(plan, { gone: ["mill"] }), roster, without, now), undefined, "T of five is 4");
  const two = planEpoch(roster, ["dyer", "kiln", "lathe"], now);
  t.regex(whyStale(opened(plan, { gone: ["mill", "weaver"] }), roster, two, now)!, /fewer than T/);
  const careful = demands(demand({ minCohort: 4, maxColluding: 2 }));
  t.regex(whyStale(opened(plan), roster, planEpoch(roster, ids, careful), careful)!, /more colluding/);
});

test("an epoch for more colluding than a small study can stand gives way to it", (t) => {
  const large = demands(demand({ minCohort: 5, maxColluding: 3 }));
  const epoch = opened(planEpoch(roster, ids, large));
  const small = demands(demand({ eligible: ids.slice(0, 3) }));
  t.regex(whyStale(epoch, roster, planEpoch(roster, ids, small), small)!, /than any study/);
});
