import test from "ava";
import { storeScoreConsent } from "../../../client-node/ledger/statements.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import type { Operations } from "../../../client-node/operations/operations.ts";
import { devicesView } from "../../../client-node/page/devices.ts";
import { needsOf } from "../../../client-node/page/standing.ts";
import { html } from "../../../core/pages/html.ts";
import { localeIn } from "../../support/page.ts";

const operations = (open: number, states: readonly string[], troubles = 0): Operations =>
  ({
    findings: { countWarnings: () => ({ open, all: open }) },
    collectors: () => states.map((state) => ({ name: "press", health: { state } })),
    troubles: () => new Array(troubles).fill({}),
  }) as unknown as Operations;

const now = Date.parse("2026-11-27T12:00:00Z");

test("all is well where nothing waits for anybody, and what waits is told, the gravest first", (t) => {
  const db = openStore(":memory:");
  t.teardown(() => db.close());
  const member = { db, ledger: {} as never };
  const told = (of: Operations | undefined, missing = 0): string[] =>
    needsOf({ operations: of, member, missing, waiting: 0, now }, localeIn("en")).map(
      ({ what, path }) => `${what} ${path}`,
    );
  t.deepEqual(told(operations(0, ["running", "stopped", "connecting"])), []);
  t.deepEqual(told(undefined), []);
  t.deepEqual(told(operations(1, ["waiting", "refused", "running"], 2), 1), [
    "1 warning is open /warnings",
    "2 collectors do not read #collectors",
    "2 kinds of readings are not used #wrong",
    "1 thing is missing, below #missing",
  ]);
  storeScoreConsent(db, { study: "ab".repeat(32), expiresMillis: now + 1, withdrawn: false });
  t.deepEqual(told(undefined), ["1 score statement is to be sent or kept /studies"]);
  storeScoreConsent(db, { study: "ab".repeat(32), expiresMillis: now, withdrawn: false });
  t.deepEqual(told(undefined), []);
});

test("devices that were never heard take one line until it is opened, and do not stand before those that were", (t) => {
  const heard = {
    rate: 1,
    lastReceived: now * 1000,
    series: [{ metric: "power", value: 7, unit: "kW", quality: "good" }],
  };
  const registered = ["a-silent", "b-heard", "c-silent"];
  const plant = {
    ...operations(0, []),
    findings: { countWarnings: () => ({ open: 0, all: 0 }), quality: () => undefined, bindings: () => [] },
    spool: () => ({ readings: 0, dropped: 0 }),
    setAside: () => [],
    board: {
      size: 1,
      overlooked: 0,
      names: () => ["b-heard"],
      device: (id: string) => (id === "b-heard" ? heard : undefined),
    },
    registry: {
      devices: () => registered.map((id) => ({ id })),
      device: () => ({ class: "press" }),
      siteOf: () => "hall",
    },
    catalogue: { metrics: new Map() },
  } as unknown as Operations;
  const { text } = html`${devicesView(plant, 0, now * 1000, localeIn("en")).body}`;
  const folded = text.slice(text.indexOf("<details"));
  t.regex(folded, /<summary>2 registered, and not heard since the start<\/summary>/);
  for (const id of ["a-silent", "c-silent"]) {
    t.true(folded.includes(id));
    t.false(text.slice(0, text.indexOf("<details")).includes(id));
  }
  t.true(text.indexOf("b-heard") < text.indexOf("<details"));
});
