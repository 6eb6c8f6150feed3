/** What the enterprise's own monitoring sees of its node; nothing of it is sent anywhere. */
import { X509Certificate } from "node:crypto";
import { Counter, Gauge, Registry } from "prom-client";
import { freeBytes } from "../core/monitor.ts";
import type { NodeEvent } from "./events.ts";
import { lastBackup } from "./ledger/records.ts";
import { openStore } from "./ledger/store.ts";
import type { Operations } from "./operations/operations.ts";

const dayMillis = 86_400_000;

export interface NodeMeters {
  readonly registry: Registry;
  /** Counts what happened. */
  take(event: NodeEvent): void;
  troubles(): string[];
}

export interface Metered {
  readonly dataDir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** PEM, of a member of a consortium. */
  readonly certificate?: string;
  /** File of a member's ledger. */
  readonly ledger?: string;
  readonly operations: () => Operations | undefined;
}

export function nodeMeters({ certificate, dataDir, ledger, now, operations }: Metered): NodeMeters {
  const registry = new Registry();
  const registers = [registry];
  let connected = false;
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `fedcredit_node_${name}`, help, labelNames: [...labelNames], registers });
  const attempts = counter("attempts_total", "attempts of rounds, by how they ended", ["outcome"]);
  const refusals = counter("refusals_total", "what the node would not do, by the code of docs/refusals.md", [
    "reason",
  ]);
  const disconnections = counter("disconnections_total", "connections lost or not made, by code", ["reason"]);
  const warnings = counter("warnings_total", "warnings opened", ["type", "severity"]);
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    look: () => Promise<readonly (readonly [Partial<Record<Label, string>>, number])[]>,
  ): void => {
    new Gauge({
      name: `fedcredit_node_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      async collect() {
        this.reset();
        for (const [labels, value] of await look().catch(() => [])) this.set(labels, value);
      },
    });
  };
  if (certificate !== undefined) {
    gauge("connected", "whether the bank is reached", [], async () => [[{}, connected ? 1 : 0]]);
    gauge("certificate_days_left", "until the node's certificate ends", [], async () => [
      [{}, (+new X509Certificate(certificate).validToDate - now()) / dayMillis],
    ]);
  }
  gauge("disk_free_bytes", "room where dataDir is", [], async () => [[{}, await freeBytes(dataDir)]]);
  if (ledger !== undefined)
    gauge("backup_age_seconds", "since the last backup that was read back was begun", [], async () => {
      const db = openStore(ledger);
      try {
        const begun = lastBackup(db);
        return begun === undefined ? [] : [[{}, (now() - begun) / 1000]];
      } finally {
        db.close();
      }
    });
  const ofCollectors = (
    name: string,
    help: string,
    value: (health: ReturnType<Operations["collectors"]>[number]["health"]) => number,
  ): void =>
    gauge(`collector_${name}`, help, ["collector"], async () =>
      (operations()?.collectors() ?? []).map(
        ({ name: collector, health }) => [{ collector }, value(health)] as const,
      ),
    );
  ofCollectors("running", "whether a source delivers", ({ state }) => (state === "running" ? 1 : 0));
  ofCollectors("readings", "readings since the start", ({ readings }) => readings);
  ofCollectors("errors", "errors since the start", ({ errors }) => errors);
  gauge("spool", "readings not yet in segments, and dropped for want of room", ["what"], async () => {
    const spool = operations()?.spool();
    return spool === undefined
      ? []
      : [
          [{ what: "waiting" }, spool.readings],
          [{ what: "dropped" }, spool.dropped],
        ];
  });
  gauge("set_aside", "readings that were not let in", ["reason"], async () =>
    [...Map.groupBy(operations()?.setAside() ?? [], ({ reason }) => reason)].map(
      ([reason, those]) => [{ reason }, those.reduce((sum, { readings }) => sum + readings, 0)] as const,
    ),
  );
  gauge("unused", "readings that were let in and are not used as they are", ["notice", "metric"], async () =>
    (operations()?.notices() ?? []).map(
      ({ notice, metric, readings }) => [{ notice, metric }, readings] as const,
    ),
  );
  gauge("lag_seconds", "since a source's last reading", ["collector"], async () =>
    (operations()?.collectors() ?? []).flatMap(({ name: collector, health }) => {
      const last = Math.max(...health.lastSeen.values());
      return Number.isFinite(last) ? [[{ collector }, now() / 1000 - last / 1e6] as const] : [];
    }),
  );
  return {
    registry,
    take(event) {
      if (event.type === "connected") connected = true;
      else if (event.type === "disconnected") {
        connected = false;
        disconnections.inc({ reason: event.reason });
      } else if (event.type === "closed") attempts.inc({ outcome: event.outcome });
      else if (event.type === "refused") refusals.inc({ reason: event.reason });
      else if (event.type === "warning" && event.warning.closed === undefined)
        warnings.inc({ type: event.warning.type, severity: event.warning.severity });
    },
    troubles: () => [
      ...(connected || certificate === undefined ? [] : ["the bank is not reached"]),
      ...(operations()?.failures() ?? []),
    ],
  };
}
