import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import type { Digest } from "../core/canonical.ts";
import { type Random, uniform } from "../core/random.ts";
import { type Reason, Refusal } from "../core/reasons.ts";
import type { Json } from "../models/algorithm.ts";
import { tableOf } from "../models/study.ts";
import type { Bfv } from "../privacy/sum/encryption/bfv.ts";
import { refusalOf } from "../proto/wire.ts";
import type { NodeEvent } from "./events.ts";
import type { IdentityFiles, NodeCredentials } from "./federation/credentials.ts";
import { Participant } from "./federation/participant.ts";
import { CurrentCertificate } from "./federation/renewal.ts";
import {
  type OwnScorer,
  type StatementDesk,
  type StatementsOfNode,
  sendDue,
  statementsOf,
} from "./federation/statements.ts";
import type { Statistics } from "./federation/statistics.ts";
import {
  consentTo,
  fetchModel,
  listStudies,
  repeatDecisions,
  type StudyDesk,
  type StudyView,
  withdrawFrom,
} from "./federation/studies.ts";
import { backoffMillis, Transport } from "./federation/transport.ts";
import { type RaisedSince, WarningReports } from "./federation/warnings.ts";
import { splitSalt } from "./ledger/chain.ts";
import { EgressLedger, ledgerSize } from "./ledger/egress.ts";
import { openStore } from "./ledger/store.ts";
import { approvedOnly, type Policy, policyOf } from "./policy.ts";
import { recordDesensitization } from "./rows/desensitize.ts";
import { requireEnough } from "./rows/enough.ts";
import { type RowSource, remembered } from "./rows/row-source.ts";

export type { NodeEvent } from "./events.ts";
export type { StudyView } from "./federation/studies.ts";
export type { RowSource } from "./rows/row-source.ts";

export interface NodeOptions {
  readonly credentials: NodeCredentials;
  /** host:port of the coordinator. */
  readonly coordinator: string;
  /** As it stands on disk at each call: a change holds from the next round on. @throws Refusal what is wrong with it */
  readonly policy: () => Policy;
  readonly rows: RowSource;
  /** How its own rows score; without it no score statement is made. */
  readonly ownScore?: OwnScorer;
  /** Computes the enterprise's statistics; not closed by the node. */
  readonly statistics: Statistics;
  /** File of the egress ledger and the node's memory (`ledgerFile`); ":memory:" for a simulation. */
  readonly ledger: string;
  /** Several nodes of one process may share one; not closed by the node. */
  readonly bfv: Bfv;
  readonly random: Random;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Warnings of the enterprise; none are told without it. */
  readonly warnings?: RaisedSince;
  /** Keeps the node's next certificate where its next start finds it; without, it is used and forgotten. */
  readonly keepCertificate?: (certificate: string, ca: string) => void;
  /** Where the identity that shall follow this node's is kept. */
  readonly identities?: IdentityFiles;
  /** Runs something after some seconds. @returns what calls it off. The system's timer by default. */
  readonly after?: (seconds: number, run: () => void) => () => void;
  readonly onEvent?: (event: NodeEvent) => void;
}

export interface RunningNode {
  readonly enterprise: string;
  studies(): Promise<StudyView[]>;
  /** Checks the manifest against the policy and the rows against the manifest, then signs. @param by - who decided, where they have names. @throws Refusal */
  consent(study: Digest, by?: readonly string[]): Promise<void>;
  withdraw(study: Digest): Promise<void>;
  /** @returns the model and its digest, checked. @throws Refusal */
  model(study: Digest): Promise<{ digest: Digest; text: string; model: Json }>;
  /** What it says of its own score. */
  readonly statements: StatementsOfNode;
  /** Something was warned about: the bank is told of it soon, as far as the policy lets it know. */
  tellWarnings(): void;
  /** Message bytes sent and received since start, before TLS. */
  bytes(): { up: number; down: number };
  /** Leaves at once, in the middle of whatever runs: what a crash looks like from outside. */
  drop(): void;
  /** Ends after what is under way was sent; leaves it where that takes longer than so many seconds, 20 by default. */
  stop(graceSeconds?: number): Promise<void>;
  /** Settles when the node has ended; rejects with the Refusal that ended it. */
  readonly finished: Promise<void>;
}

/** The ledger's place in a data directory. */
export const ledgerFile = (dataDir: string): string => join(dataDir, "ledger.db");

/**
 * Who enrolled has written at least that down. A ledger that was cut to nothing, or is gone, would be taken for a new
 * one, which has nothing spent and no step signed.
 * @throws Refusal file_missing, where the ledger of an enrolled node holds nothing; those of `openStore`
 */
export function requireLedger(dataDir: string): void {
  const path = ledgerFile(dataDir);
  if (existsSync(path)) {
    const db = openStore(path);
    try {
      if (ledgerSize(db) > 0) return;
    } finally {
      db.close();
    }
  }
  throw new Refusal("file_missing", `${path}: this node has enrolled, and its ledger holds nothing`, {
    hint: "what it spent and signed is not known any more: fedcredit node restore from a backup into a new folder, or without one fedcredit node init in a new folder, as docs/operating.md says",
  });
}

/** The desk of a node, for commands that take no part in rounds. Close with `transport.close()` and `db.close()`. */
export function openDesk(options: Omit<NodeOptions, "bfv" | "statistics">): StatementDesk & {
  readonly ledger: EgressLedger;
} {
  const { credentials, now, random } = options;
  const db = openStore(options.ledger);
  const ledger = new EgressLedger(db, credentials);
  const transport = new Transport({
    address: options.coordinator,
    credentials,
    now,
    random,
    beforeSend: (departures) => ledger.recordDepartures(departures, now()),
  });
  const inForce = approvedOnly(db, options.policy);
  const policy: StudyDesk["policy"] = (manifest) => policyOf(inForce(), tableOf(manifest));
  const tables = remembered((manifest, policy) => {
    const about = { db, ledger, policy, enterprise: credentials.enterprise };
    return options.rows(manifest, {
      policy,
      salt: splitSalt(db, tableOf(manifest), options.random.bytes(32)),
      onRun(run, counts) {
        recordDesensitization(about, run, now());
        options.onEvent?.({ type: "rows", study: manifest.name, rows: run.rowsOut, ...counts });
      },
    });
  });
  // A refused table is looked at again, and not read again.
  const rows = remembered(async (manifest, policy) =>
    requireEnough(await tables(manifest, policy), manifest, policy.minRows),
  );
  return { db, ledger, transport, credentials, policy, rows, now, ownScore: options.ownScore };
}

/**
 * Connects an enterprise to its coordinator and takes part in every study it consented to, until stopped.
 * Reconnects by itself; resolves once the first connection stands or waits to be tried again.
 *
 * @throws Refusal that no waiting mends: clock_skew, protocol_version, certificate_invalid, role_denied,
 *   log_forked, ledger_locked.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const desk = openDesk(options);
  const { db, transport } = desk;
  const emit = options.onEvent ?? (() => {});
  const ending = new AbortController();
  const { after = afterSeconds, bfv, keepCertificate: keep = () => {}, random, statistics } = options;
  const { identities } = options;
  const participant = new Participant({ ...desk, identities, bfv, random, statistics, after, emit });
  const certificate = new CurrentCertificate({ ...desk, keep, emit });
  const reports = options.warnings && new WarningReports({ ...desk, random, raised: options.warnings, emit });
  const callOff = every(hourSeconds, after, async () => {
    await certificate.renewIfDue();
    // Where the bank is away, the next connection looks again.
    await participant.followKeys().catch(() => {});
    await sendDue(desk, emit);
    await reports?.tell();
  });
  let callOffTelling: (() => void) | undefined;
  // What a node waits for may be timers alone, which do not keep a process.
  const alive = setInterval(() => {}, hourSeconds * 1000);

  const firstTry = Promise.withResolvers<void>();
  const connect = async (onConnected: () => void): Promise<void> => {
    certificate.check();
    await certificate.renewIfDue();
    await participant.followKeys();
    await sendDue(desk, emit);
    await participant.takePart(() => {
      onConnected();
      void repeatDecisions(desk, emit);
      void reports?.tell();
    });
  };
  const finished = keepConnected(connect, random, ending.signal, emit, firstTry.resolve).finally(() => {
    callOff();
    callOffTelling?.();
    clearInterval(alive);
    participant.close();
    transport.close();
    closeStore(db);
  });
  finished.catch(firstTry.reject);
  await firstTry.promise;
  return {
    enterprise: options.credentials.enterprise,
    studies: () => listStudies(desk),
    async consent(study, by) {
      await participant.followKeys();
      await consentTo(desk, study, by);
    },
    withdraw: (study) => withdrawFrom(desk, study),
    model: (study) => fetchModel(desk, study),
    statements: statementsOf(desk),
    tellWarnings() {
      if (reports === undefined || ending.signal.aborted) return;
      callOffTelling ??= after(tellingSeconds, () => {
        callOffTelling = undefined;
        void reports.tell();
      });
    },
    bytes: () => transport.bytes,
    drop() {
      ending.abort();
      participant.cancel();
      transport.close();
    },
    async stop(graceSeconds = 20) {
      ending.abort();
      // A statistic or an encryption that never returns must not keep the process: it is a drop-out then.
      const callOff = after(graceSeconds, () => {
        participant.cancel();
        transport.close();
      });
      await Promise.race([participant.end(), finished]);
      callOff();
      if (!participant.isConnected) transport.close();
      await finished;
    },
    finished,
  };
}

/** No waiting mends these: the operator has to. */
const fatal: ReadonlySet<Reason> = new Set([
  "certificate_invalid",
  "role_denied",
  "protocol_version",
  "clock_skew",
  "log_forked",
  "ledger_locked",
  "file_missing",
  "file_malformed",
]);

/**
 * Connects again and again until `ending`, each time later while it does not come about.
 * @throws Refusal what does not get better by itself.
 * @internal
 */
export async function keepConnected(
  connect: (onConnected: () => void) => Promise<void>,
  random: Random,
  ending: AbortSignal,
  emit: (event: NodeEvent) => void,
  onFirstTry: () => void,
): Promise<void> {
  // Whoever runs a copy of this node takes the connection back each time: neither may do so ever faster.
  let taken = 0;
  let wasConnected = false;
  for (let tries = 1; !ending.aborted; tries++) {
    const failure = await connect(() => {
      tries = 0;
      wasConnected = true;
      onFirstTry();
      emit({ type: "connected" });
    }).then(
      () => new Refusal("unavailable", "the coordinator ended the connection"),
      (error: unknown) => refusalOf(error),
    );
    if (ending.aborted) return;
    // Clocks are set right again, here or at the bank: nobody should have to start every node for it.
    const passes = failure.reason === "clock_skew" && wasConnected;
    if (fatal.has(failure.reason) && !passes) throw failure;
    onFirstTry();
    taken = failure.reason === "message_unexpected" ? taken + 1 : 0;
    const retryMillis = backoffMillis(Math.max(tries, taken) + 1, uniform(random));
    emit({ type: "disconnected", reason: failure.reason, message: failure.message, retryMillis });
    await delay(retryMillis, undefined, { signal: ending }).catch(() => {});
  }
}

function afterSeconds(seconds: number, run: () => void): () => void {
  const timer = setTimeout(run, seconds * 1000).unref();
  return () => clearTimeout(timer);
}

/** How often a node that stays connected looks at its certificate, and for score statements that are due. */
const hourSeconds = 3600;
/** What is warned about within it is told in one report. */
const tellingSeconds = 300;

/** Runs something again and again. @returns what ends that. */
function every(
  seconds: number,
  after: (seconds: number, run: () => void) => () => void,
  work: () => Promise<void>,
): () => void {
  let callOff = (): void => {};
  const wait = (): void => {
    callOff = after(seconds, () => void work().then(wait));
  };
  wait();
  return () => callOff();
}

function closeStore(db: DatabaseSync): void {
  if (db.isOpen) db.close();
}
