/** The auditor's commands that need files and nobody: `verify`, `reconcile`, `check-receipt`, `tiles`, `check-segment`. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { utf8Text } from "../core/bytes.ts";
import type { Digest } from "../core/canonical.ts";
import { makeDirectory, writeWhole } from "../core/files.ts";
import { Refusal } from "../core/reasons.ts";
import { print } from "../core/terminal.ts";
import { studyArithmetic } from "../models/recompute.ts";
import { commitmentRoot, type Disclosure, parseDisclosure } from "../privacy/log/commitment.ts";
import { witnessName } from "../privacy/log/cosignature.ts";
import { type Entry, parseEntry } from "../privacy/log/entry.ts";
import { type ExportRecord, readExport } from "../privacy/log/export.ts";
import { openNote, parseNote } from "../privacy/log/note.ts";
import type { LogPolicy } from "../privacy/log/policy.ts";
import { verifyReceipt } from "../privacy/log/proof.ts";
import { type ExportSource, reconcile, reconcileAll } from "../privacy/log/reconcile.ts";
import { staticFiles } from "../privacy/log/tiles.ts";
import { allHold, type Check, verifyExport } from "../privacy/log/verify.ts";
import { parseRoster } from "../privacy/roster.ts";
import { followingPolicy, keyInForce } from "../privacy/succession.ts";
import { policyOption, readPolicy, requireFile, sourceOf } from "./files.ts";

interface Flags {
  readonly policy: string;
  readonly checkpoint?: readonly string[];
  readonly json?: true;
}

export function offlineCommands(): Command[] {
  return [verifyCommand(), reconcileCommand(), checkReceiptCommand(), tilesCommand(), checkSegmentCommand()];
}

function verifyCommand(): Command {
  return new Command("verify")
    .description("verify an export offline: one line a check; exit 0 if all hold, 1 otherwise")
    .argument("<export>", "file written by the coordinator or a node (.fcexport)")
    .requiredOption(...policyOption)
    .option("--checkpoint <file...>", "checkpoints of this log that were shown elsewhere: it must reach them")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fedcredit audit verify bank.fcexport --policy log.policy")
    .action(async (file: string, { policy, checkpoint = [], json }: Flags) => {
      for (const path of checkpoint) await requireFile(path);
      const shown = await Promise.all(checkpoint.map((path) => readFile(path, "utf8")));
      const options = { arithmetic: studyArithmetic, shown };
      finish(await verifyExport((await sourceOf(file))(), await readPolicy(policy), options), json === true);
    });
}

function reconcileCommand(): Command {
  return new Command("reconcile")
    .description("compare the bank's export with enterprises' egress ledgers")
    .argument("<bank-export>", "the bank's log")
    .argument("<node-ledger...>", "ledgers as their enterprises exported them")
    .requiredOption(...policyOption)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit audit reconcile bank.fcexport mill.fcexport --policy log.policy",
    )
    .action(async (bank: string, ledgers: string[], { policy, json }: Flags) => {
      const log = await sourceOf(bank);
      const sources = await Promise.all(ledgers.map(sourceOf));
      const compared = await reconcileAll(log, sources, await readPolicy(policy), studyArithmetic);
      const named = compared.flatMap(({ id, checks }) =>
        compared.length === 1 ? checks : checks.map((one) => ({ ...one, check: `${id}: ${one.check}` })),
      );
      finish(named, json === true);
    });
}

function checkReceiptCommand(): Command {
  return new Command("check-receipt")
    .description("verify a receipt offline, and print the entry that it proves")
    .argument("<receipt>", "file written by fedcredit audit receipt (.tlog-proof)")
    .requiredOption(...policyOption)
    .option(
      "--roster <file>",
      "newest roster.note of the auditor: leads from the policy's keys to those in force",
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit audit check-receipt entry-7.tlog-proof --policy log.policy",
    )
    .action(async (file: string, { policy: policyFile, roster, json }: Flags & { roster?: string }) => {
      await requireFile(file);
      const text = await readFile(file, "utf8");
      const policy = await followed(await readPolicy(policyFile), roster);
      const { index, entry, checkpoint, cosigned } = verifyReceipt(text, policy);
      const shown = {
        index,
        size: checkpoint.size,
        log: checkpoint.origin,
        cosigned: cosigned.map(({ witness, timeSeconds }) => ({
          witness: witnessName(witness),
          timeSeconds,
        })),
        entry: parseEntry(entry),
      };
      if (json) return print(JSON.stringify(shown));
      print(`entry ${index} of ${checkpoint.size} in the log of ${checkpoint.origin}`);
      for (const { witness, timeSeconds } of shown.cosigned)
        print(`cosigned by ${witness} at ${new Date(timeSeconds * 1000).toISOString()}`);
      print(utf8Text(entry) ?? "");
    });
}

/** @returns the policy with the keys that follow its own by a roster that these sign. @throws Refusal */
async function followed(policy: LogPolicy, rosterFile: string | undefined): Promise<LogPolicy> {
  if (rosterFile === undefined) return policy;
  await requireFile(rosterFile);
  const note = await readFile(rosterFile, "utf8");
  const { successions = [] } = parseRoster(parseNote(note).text);
  const now = followingPolicy(policy, successions);
  keyInForce(successions, "bank", policy.log);
  openNote(note, [now.log]);
  return now;
}

function tilesCommand(): Command {
  return new Command("tiles")
    .description("write an export's log as static files, C2SP tlog-tiles, for any web server")
    .argument("<export>", "file written by the coordinator or a node (.fcexport)")
    .requiredOption("--out <dir>", "where checkpoint and tiles go")
    .addHelpText("after", "\nExample:\n  fedcredit audit tiles bank.fcexport --out log")
    .action(async (file: string, { out }: { out: string }) => {
      const { records } = await readExport((await sourceOf(file))());
      const first = await records.next();
      if (first.done || first.value.type !== "checkpoint")
        throw new Refusal("file_malformed", `${file}: no checkpoint before its entries`);
      let files = 0;
      for await (const { path, bytes } of staticFiles(first.value.note, entriesOf(records))) {
        await makeDirectory(dirname(join(out, path)));
        await writeWhole(join(out, path), [bytes]);
        files++;
      }
      print(`${files} files in ${out}`);
    });
}

function checkSegmentCommand(): Command {
  return new Command("check-segment")
    .description("check that disclosed segments are those an enterprise committed to on their day")
    .argument("<bank-export>", "the bank's log")
    .argument("<node-ledger>", "the ledger as the enterprise exported it")
    .argument("<disclosure>", "commitments/YYYY-MM-DD.json of the enterprise's data folder")
    .argument("<segment...>", "Parquet files that the enterprise shows")
    .requiredOption(...policyOption)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit audit check-segment bank.fcexport mill.fcexport 2026-03-02.json segment.parquet --policy log.policy",
    )
    .action(async (bank: string, ledger: string, shown: string, segments: string[], flags: Flags) => {
      await requireFile(shown);
      const disclosure = parseDisclosure(await readFile(shown, "utf8"));
      const sources = [await sourceOf(bank), await sourceOf(ledger)] as const;
      const checks = await reconcile(...sources, await readPolicy(flags.policy), studyArithmetic);
      checks.push(await commitmentCheck(...sources, disclosure));
      for (const path of segments) {
        await requireFile(path);
        const digest = await fileDigest(path);
        const leaf = disclosure.segments.find((one) => one.digest === digest);
        const detail = leaf?.path ?? "none of the day's segments has this content";
        checks.push({ check: `segment ${path}`, ok: leaf !== undefined, detail });
      }
      finish(checks, flags.json === true);
    });
}

/** Whether the day's root stands in the ledger, at a place that a checkpoint in the bank's log covers. */
async function commitmentCheck(
  bank: ExportSource,
  ledger: ExportSource,
  disclosure: Disclosure,
): Promise<Check> {
  const { enterprise, day } = disclosure;
  let reported = 0;
  for await (const { entry } of entriesIn(bank))
    if (entry.type === "ledger.reported" && entry.enterprise === enterprise)
      reported = Math.max(reported, entry.size);
  const root = commitmentRoot(disclosure);
  const named = { check: `commitment of ${day}` };
  for await (const { entry, index } of entriesIn(ledger)) {
    if (entry.type !== "data.committed" || entry.enterprise !== enterprise) continue;
    if (entry.day !== day || entry.root !== root) continue;
    return index < reported
      ? { ...named, ok: true, detail: `${entry.readings} readings in ${entry.segments} segments` }
      : {
          ...named,
          ok: false,
          detail: "the bank's log holds no checkpoint of the ledger that covers it yet",
        };
  }
  return { ...named, ok: false, detail: "the ledger holds no commitment with this root" };
}

async function* entriesIn(source: ExportSource): AsyncGenerator<{ entry: Entry; index: number }> {
  const { records } = await readExport(source());
  let index = 0;
  for await (const bytes of entriesOf(records)) yield { entry: parseEntry(bytes), index: index++ };
}

async function fileDigest(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function* entriesOf(records: AsyncIterable<ExportRecord>): AsyncGenerator<Uint8Array> {
  for await (const record of records) if (record.type === "entry") yield record.bytes;
}

/** Prints the report. @throws Refusal log_invalid, naming the first check that fails. */
function finish(checks: readonly Check[], json: boolean): void {
  if (json) print(JSON.stringify({ verified: allHold(checks), checks }));
  else for (const check of checks) print(formatCheck(check));
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length > 0)
    throw new Refusal(
      "log_invalid",
      `${failed.length} of ${checks.length} checks fail: ${place(failed[0]!)}`,
    );
}

const place = ({ check, entry }: Check): string => (entry === undefined ? check : `${check}, entry ${entry}`);

function formatCheck(check: Check): string {
  const detail = check.detail === "" ? "" : `: ${check.detail}`;
  const word = !check.ok ? "FAIL" : check.finding ? "NOTE" : "ok  ";
  return `${word}  ${place(check)}${detail}`;
}
