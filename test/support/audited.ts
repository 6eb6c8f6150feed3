import type { ExecutionContext } from "ava";
import type { NodeCredentials } from "../../client-node/federation/credentials.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { studyArithmetic } from "../../models/recompute.ts";
import { reconcileAll } from "../../privacy/log/reconcile.ts";
import { type Check, verifyExport } from "../../privacy/log/verify.ts";
import type { LocalBank } from "../../simulate/consortium.ts";

const failed = (checks: readonly Check[]): Check[] => checks.filter(({ ok }) => !ok);

/**
 * Asserts that a bank's log verifies and that ledgers agree with it.
 * @param nodes - each with the file of its ledger.
 * @returns what was checked, and the ledgers' databases, in order, open until the test ends.
 */
export async function audited(
  t: ExecutionContext,
  bank: LocalBank,
  nodes: readonly { readonly credentials: NodeCredentials; readonly file: string }[],
) {
  const checks = await verifyExport(bank.operator.exportLog(), bank.logPolicy(), {
    arithmetic: studyArithmetic,
  });
  t.deepEqual(failed(checks), []);
  const ledgers = nodes.map(({ credentials, file }) => {
    const db = openStore(file);
    t.teardown(() => db.close());
    return { db, ledger: new EgressLedger(db, credentials) };
  });
  const compared = await reconcileAll(
    () => bank.operator.exportLog(),
    ledgers.map(
      ({ ledger }) =>
        () =>
          ledger.export(),
    ),
    bank.logPolicy(),
    studyArithmetic,
  );
  for (const { id, checks: own } of compared) t.deepEqual(failed(own), [], id);
  return { checks, compared, databases: ledgers.map(({ db }) => db) };
}
