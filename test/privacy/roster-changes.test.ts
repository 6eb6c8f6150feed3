import test from "ava";
import fc from "fast-check";
import { seededRandom } from "../../core/random.ts";
import { generateIdentity, publicIdentity } from "../../privacy/identity.ts";
import type { Member, RosterText } from "../../privacy/roster.ts";
import { describeChanges, rosterChanges } from "../../privacy/roster-changes.ts";

const memberOf = (id: string, organisation = `${id} Ltd`, seed = id): Member => ({
  id,
  organisation,
  ...publicIdentity(generateIdentity(`riverbank/${id}`, seededRandom(seed))),
});
const rosterOf = (version: number, ...members: Member[]): RosterText => ({
  consortium: "riverbank",
  version,
  members,
});

test("who joins, leaves and changes, in words", (t) => {
  const [kiln, loom, mill, truck] = ["kiln", "loom", "mill", "truck"].map((id) => memberOf(id)) as [
    Member,
    Member,
    Member,
    Member,
  ];
  const before = rosterOf(1, kiln, loom, mill);
  const { hpkeKey } = memberOf("loom", "x", "other");
  const after = rosterOf(2, { ...loom, hpkeKey }, memberOf("mill", "Miller plc", "stolen"), truck);
  t.deepEqual(describeChanges(rosterChanges(before, after)), [
    "joins    truck",
    "leaves   kiln",
    "changes  loom: another key to receive secrets",
    "changes  mill: another organisation: Miller plc, before mill Ltd",
    "changes  mill: another identity key: call and compare",
    "changes  mill: another key to receive secrets",
  ]);
  t.deepEqual(describeChanges(rosterChanges(before, rosterOf(2, kiln, loom, mill))), ["nothing changes"]);
  t.deepEqual(rosterChanges(undefined, before).joined, ["kiln", "loom", "mill"]);
});

test("property: what joins and leaves takes one roster to the other", (t) => {
  const ids = ["alder", "birch", "cedar", "dogwood", "elm"];
  const members = new Map(ids.map((id) => [id, memberOf(id)]));
  const roster = (chosen: string[]): RosterText =>
    rosterOf(1, ...ids.filter((id) => chosen.includes(id)).map((id) => members.get(id)!));
  fc.assert(
    fc.property(fc.subarray(ids), fc.subarray(ids), (before, after) => {
      const { joined, left, changed } = rosterChanges(roster(before), roster(after));
      const reached = [...before.filter((id) => !left.includes(id)), ...joined].sort();
      t.deepEqual(reached, [...after].sort());
      t.deepEqual(changed, []);
    }),
  );
});
