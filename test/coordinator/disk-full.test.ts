import { join } from "node:path";
import test from "ava";
import { pino } from "pino";
import { fillDisk } from "../../bench/cases/small-disk.ts";
import { within } from "../../bench/cases/within.ts";
import { runPlain } from "../../models/plain.ts";
import { selectRows } from "../../models/rows.ts";
import { verifyExport } from "../../privacy/log/verify.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { LocalBank, startEnterprise } from "../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../support/rows.ts";
import { tinyDisk } from "../support/tiny-disk.ts";

const names = ["lathe", "mill", "truck"];

for (const at of ["attempt-opened", "unmask-stored"] as const)
  test(`the bank's disk fills up at ${at}, and has room again: the study waits, says why, and comes to the same end`, async (t) => {
    const disk = await tinyDisk(t, 64 * 1024);
    if (disk === undefined) return t.pass();
    let free: (() => void) | undefined;
    let wasFull = false;
    const noticed = Promise.withResolvers<string>();
    const write = (line: string): void => {
      if (line.includes("the coordinator waits")) noticed.resolve(line);
    };
    const bank = await LocalBank.start(
      { blobs: join(disk, "blobs"), witnesses: { quorum: 1 } },
      {
        log: pino({ level: "warn" }, { write }),
        onCrashPoint: (point) => {
          if (point !== at || wasFull) return;
          wasFull = true;
          free = fillDisk(disk);
        },
      },
    );
    t.teardown(() => bank.stop());
    const credentials = await bank.enrolAll(names);
    const bfv = await openBfv();
    t.teardown(() => bfv.close());
    const manifest = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);
    const table = borrowers();
    const tables = scatter(table.rows, names.length, "full").map((rows) => {
      const mine = new Set(rows);
      return selectRows(table, (row) => mine.has(row));
    });
    const study = await bank.operator.propose(manifest);
    const nodes = await Promise.all(
      names.map((name, i) => startEnterprise(bank, credentials.get(name)!, manifest, tables[i]!, bfv)),
    );
    t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
    await Promise.all(nodes.map((node) => node.consent(study)));
    await bank.operator.start(study);
    const ended = (async () => {
      for await (const { phase, reason, detail } of bank.operator.follow(study))
        if (phase !== "running") return `${phase} ${reason} ${detail}`.trim();
      return "no end";
    })();
    const said = await within(() => "the coordinator waits", Promise.race([noticed.promise, ended]));
    t.regex(said, /disk_full/);
    free?.();
    t.is(await within(() => "the study's end", ended), "finished");
    const { model } = await bank.operator.model(study);
    t.deepEqual((model as { results: unknown }).results, (await runPlain(manifest, tables)).results);
    // What was logged before the disk was full is not logged again.
    const auditor = bank.auditor();
    await auditor.witness(undefined, Date.now());
    const checks = await verifyExport(auditor.exportLog(), bank.logPolicy(1));
    t.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
    auditor.close();
  });
