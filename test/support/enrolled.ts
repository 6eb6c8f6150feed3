import { readSecrets } from "../../client-node/federation/credentials.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { ledgerFile } from "../../client-node/node.ts";

/** Begins a node's ledger as `node enrol` does, where a test enrols it by other means. */
export function beginLedger(dataDir: string): void {
  const db = openStore(ledgerFile(dataDir));
  const kind = "Enrolment.Enrol";
  const departure = { destination: "bank.example:8444", kind, bytes: 1, digest: "ab".repeat(32) } as const;
  new EgressLedger(db, readSecrets(dataDir)).recordDepartures([departure], Date.now());
  db.close();
}
