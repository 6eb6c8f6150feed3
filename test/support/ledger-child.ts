import { writeSync } from "node:fs";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { secureRandom, seededRandom } from "../../core/random.ts";
import { generateIdentity } from "../../privacy/identity.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { PartyRecord } from "../../privacy/sum/party/party.ts";

/**
 * Charges one sum with noise after another, and lets each leave: its roundId on stdout, unbuffered, is the first byte. Is
 * killed from outside; `careless` sends first, and dies of it by itself.
 */
const [path, manner] = [process.argv[2]!, process.argv[3]];
const identity = generateIdentity("riverbank/mill", seededRandom("egress"));
const ledger = new EgressLedger(openStore(path), { identity });
const noise = { colluding: 1, dropOuts: 0, samplingRate: 1, sensitivity: 0.01, variances: [1000] };
const charged = { table: "rows", unit: "record", budget: { lifetime: 1e9, delta: 1e-6 } } as const;
const step = {
  destination: "bank.example:8443",
  nowMillis: 5,
  charged,
  enterprise: "mill",
  policy: "f0".repeat(32),
} as const;

for (let sums = 0; ; sums++) {
  const roundId = Buffer.from(secureRandom.bytes(32)).toString("hex");
  const study = Buffer.from(secureRandom.bytes(32)).toString("hex");
  const epoch = Buffer.from(secureRandom.bytes(32)).toString("hex");
  const header = {
    study,
    round: 1,
    attempt: 1,
    epoch,
    slot: 0,
    follows: null,
    noise,
  } as unknown as RoundHeader;
  const digest = "bb".repeat(32);
  const submission = {
    kind: "submission",
    roundId,
    header,
    digest,
    chunks: [digest],
    bytes: 40_000,
  } as const;
  const leave = (): number => writeSync(1, `${roundId}\n`);
  if (manner === "careless" && sums === 3) {
    leave();
    process.kill(process.pid, "SIGKILL");
  }
  for (const record of [{ kind: "open", roundId, header, contributes: true }, submission] as PartyRecord[])
    ledger.recordStep(record, step);
  leave();
}
