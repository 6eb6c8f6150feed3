import { rm } from "node:fs/promises";
import { join } from "node:path";
import type * as grpc from "@grpc/grpc-js";
import test from "ava";
import type { NodeEvent } from "../../../client-node/events.ts";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { startNode } from "../../../client-node/node.ts";
import { secureRandom } from "../../../core/random.ts";
import { publicIdentity } from "../../../privacy/identity.ts";
import { noteSigner } from "../../../privacy/log/note.ts";
import { signRoster } from "../../../privacy/roster.ts";
import { Health, Membership, protocolVersion, Rounds } from "../../../proto/wire.ts";
import { policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";
import { sharedBfv } from "../../support/sealed-sum.ts";
import { serve, testConsortium } from "../../support/wire-server.ts";

const { authority, auditorSeed, bankSeed, credentials } = await testConsortium();
const signers = [noteSigner("riverbank/bank", bankSeed), noteSigner("riverbank/auditor", auditorSeed)];
const { verifierKey, hpkeKey } = publicIdentity(credentials.identity);

/** A roster that bank and auditor have signed. */
const rosterOf = (version: number, organisation = "Mill Ltd"): string => {
  const members = [{ id: "mill", organisation, verifierKey, hpkeKey }];
  return signRoster({ consortium: "riverbank", version, members }, signers);
};

const manifest = studyOf(borrowerFeatures, [{ name: "range" }]);

test("rosters only get newer for a node, also where it starts again", async (t) => {
  const folder = await temporaryDirectory();
  const bfv = await sharedBfv();
  let shown = "";
  const server = await serve(authority, [
    [
      Health.service,
      {
        Check: (_: unknown, answer: grpc.sendUnaryData<object>) =>
          answer(null, { protocolVersion, softwareVersion: "0", timeMillis: Date.now(), draining: false }),
      },
    ],
    [
      Membership.service,
      { GetRoster: (_: unknown, answer: grpc.sendUnaryData<object>) => answer(null, { note: shown }) },
    ],
    [
      Rounds.service,
      {
        Participate: (call: grpc.ServerDuplexStream<unknown, unknown>) => {
          call.on("data", () => {}).on("end", () => call.end());
        },
      },
    ],
  ]);
  t.teardown(async () => {
    server.stop();
    await bfv.close();
    await rm(folder, { recursive: true });
  });
  /** @returns how a node, started over the same ledger, gets on with the roster it is shown. */
  const startedOn = async (note: string): Promise<string> => {
    shown = note;
    const events: NodeEvent[] = [];
    const node = await startNode({
      credentials,
      coordinator: server.address,
      policy: () => policyFor(manifest),
      rows: async () => borrowers(),
      statistics: new DirectStatistics(secureRandom),
      ledger: join(folder, "ledger.db"),
      bfv,
      random: secureRandom,
      now: Date.now,
      onEvent: (event) => void events.push(event),
    });
    await node.stop();
    const [first] = events;
    return first?.type === "disconnected" ? first.reason : String(first?.type);
  };
  t.is(await startedOn(rosterOf(2)), "connected");
  t.is(await startedOn(rosterOf(2)), "connected");
  t.is(await startedOn(rosterOf(1)), "roster_mismatch", "an older one, rightly signed");
  t.is(await startedOn(rosterOf(2, "Another Ltd")), "roster_mismatch", "another of the same version");
  t.is(await startedOn(rosterOf(3)), "connected");
  t.is(await startedOn(rosterOf(2)), "roster_mismatch", "what was the newest once");
});
