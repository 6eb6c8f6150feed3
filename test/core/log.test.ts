import test from "ava";
import fc from "fast-check";
import { logEvents } from "../../client-node/event-log.ts";
import type { NodeEvent } from "../../client-node/events.ts";
import { type LogFlags, openLog } from "../../core/log.ts";

const start = Date.UTC(2026, 0, 31, 23, 59);

/** A log into memory, and its clock. */
function memoryLog(flags: Partial<LogFlags> = {}) {
  const clock = { now: start };
  const lines: string[] = [];
  const log = openLog(
    { logLevel: "info", logFormat: "text", ...flags },
    () => clock.now,
    (line) => {
      lines.push(line);
    },
  );
  return { log, lines, clock };
}

test("a line begins with time and level, the rest is named", (t) => {
  const { log, lines } = memoryLog();
  log.warn({ party: "mill", reason: "party_late", detail: "not within 60 s" }, "fault in a round");
  log.debug("nobody asked for this");
  t.deepEqual(lines, [
    '2026-01-31T23:59:00.000Z WARN  fault in a round party=mill reason=party_late detail="not within 60 s"\n',
  ]);
});

test("one JSON object a line by option", (t) => {
  const { log, lines } = memoryLog({ logFormat: "json", logLevel: "debug" });
  log.debug({ rounds: 3 }, "said");
  t.is(lines.length, 1);
  t.deepEqual(JSON.parse(lines[0]!), {
    level: "debug",
    time: "2026-01-31T23:59:00.000Z",
    rounds: 3,
    msg: "said",
  });
});

test("whatever a peer says, an event is one line without control characters", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const { log, lines } = memoryLog();
      log.warn({ detail: text, err: new Error(text) }, text);
      return lines.length === 1 && /^[^\p{Cc}\u2028\u2029]*\n$/u.test(lines[0]!);
    }),
  );
  const { log, lines } = memoryLog();
  log.warn({ detail: "\u001b[2J\n2026 INFO  all is well" }, "x");
  t.false(lines[0]!.slice(0, -1).includes("\n"));
  t.false(lines[0]!.includes("\u001b"));
});

test("what repeats is said ten times in ten minutes, then how often it was not", (t) => {
  const { log, lines, clock } = memoryLog();
  for (let second = 0; second < 600; second++, clock.now += 1000)
    log.error({ reason: "disk_full" }, "the coordinator waits");
  t.is(lines.length, 10);
  log.error({ reason: "database_unavailable" }, "the coordinator waits");
  t.is(lines.length, 11, "another reason is another line");
  log.error({ reason: "disk_full" }, "the coordinator waits");
  t.regex(lines.at(-1)!, /unsaid=590/);

  for (let round = 1; round <= 100; round++) log.info({ round }, "round");
  t.is(lines.length, 112, "what no peer and no fault causes is no repetition");

  const deep = memoryLog({ logLevel: "debug" });
  for (let i = 0; i < 600; i++) deep.log.error("the coordinator waits");
  t.is(deep.lines.length, 600, "debug leaves nothing out");
});

test("a node's study of ten thousand rounds is under a hundred lines; debug has every step", (t) => {
  const study = "ab".repeat(32);
  const events = function* (): Generator<NodeEvent> {
    yield { type: "connected" };
    for (let round = 1; round <= 10_000; round++) {
      if (round % 64 === 1) yield { type: "epoch", epoch: study };
      for (const phase of ["ready", "contributing", "agreed", "unmasked", "verifying", "released"])
        yield { type: "round", study, algorithm: "neural", round, attempt: 1, phase };
      yield { type: "closed", roundId: study, outcome: "released", reason: "" };
    }
  };
  const [short, all] = [memoryLog(), memoryLog({ logLevel: "debug" })];
  for (const { log } of [short, all]) {
    const write = logEvents(log);
    for (const event of events()) write(event);
  }
  t.true(short.lines.length < 100, `${short.lines.length} lines`);
  t.true(short.lines.length > 10);
  t.true(all.lines.length > 70_000);
});
