/** The auditor's commands that speak to a coordinator, and those that prepare for it. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { readRefusal, writeNewFiles, writeWhole } from "../core/files.ts";
import { secureRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { print, tell } from "../core/terminal.ts";
import { certificateRequest, generateTlsKey } from "../privacy/certificate-request.ts";
import { cosignatureVerifier } from "../privacy/log/cosignature.ts";
import { fingerprint, noteSigner, verifierKey } from "../privacy/log/note.ts";
import { formatPolicy } from "../privacy/log/policy.ts";
import { logRecoveries, recoveriesSince } from "../privacy/recovery.ts";
import { describeChanges, rosterChanges } from "../privacy/roster-changes.ts";
import {
  describeSuccession,
  signSuccession,
  successionLine,
  successionsSince,
} from "../privacy/succession.ts";
import type { AuditorClient } from "./client.ts";
import {
  type Connection,
  checkLoss,
  connect,
  files,
  lookAt,
  ownKeyIn,
  pinnedBankKey,
  readSigned,
  remoteCommand,
  writeSigned,
} from "./connection.ts";
import { makeNextKey, openMlDsaKey, readAuditorKey } from "./keys.ts";
import { watchCommand } from "./watch.ts";

export function remoteCommands(): Command[] {
  return [
    requestCommand(),
    policyCommand(),
    countersignCommand(),
    rotateKeyCommand(),
    watchCommand(),
    receiptCommand(),
  ];
}

function requestCommand(): Command {
  return new Command("request")
    .description("make a TLS key and the request that the bank certifies (coordinator certify-auditor)")
    .requiredOption("--dir <dir>", "the auditor's directory, as made by audit init")
    .addHelpText("after", "\nExample:\n  fedcredit audit request --dir auditor")
    .action(async ({ dir }: { dir: string }) => {
      await readAuditorKey(dir);
      const keyFile = join(dir, files.tlsKey);
      // Where a certificate ended, the request is made once more: the key stays.
      if (!existsSync(keyFile)) writeNewFiles([{ path: keyFile, text: await generateTlsKey(), mode: 0o600 }]);
      const privateKeyPem = await readFile(keyFile, "utf8").catch((cause: unknown) => {
        throw readRefusal(keyFile, cause);
      });
      const request = join(dir, files.request);
      await writeWhole(request, await certificateRequest(privateKeyPem, "auditor"));
      print(request);
    });
}

function policyCommand(): Command {
  return new Command("policy")
    .description("write the policy file for audit verify: the bank's log, the auditor as its witness")
    .requiredOption("--dir <dir>", "the auditor's directory")
    .option("--bank-key <key>", "the bank's verifier key; needed the first time")
    .requiredOption("--quorum <n>", "cosignatures needed: 0 or 1", (text) => {
      if (!/^[01]$/.test(text)) throw new InvalidArgumentError("Give 0 or 1");
      return Number(text);
    })
    .requiredOption("--out <file>", "where it goes")
    .addHelpText(
      "after",
      `
Example:
  fedcredit audit policy --dir auditor --quorum 1 --out log.policy --bank-key "$(cat bank/bank.pub)"`,
    )
    .action(async (flags: { dir: string; bankKey?: string; quorum: number; out: string }) => {
      const { name, publicKey } = await readAuditorKey(flags.dir);
      const bank = await pinnedBankKey(flags);
      const second = await openMlDsaKey(flags.dir, name, secureRandom);
      const witnesses = [cosignatureVerifier(name, publicKey), ...(second ? [second.witness] : [])];
      await writeWhole(flags.out, formatPolicy(bank, witnesses, flags.quorum));
      print(flags.out);
    });
}

function countersignCommand(): Command {
  return remoteCommand("countersign", "show the roster that waits for the auditor; sign it with --yes")
    .option("--yes", "sign: these enterprises exist, and are who the roster says")
    .option(
      "--accept-loss",
      "sign a roster that says something was lost, too: it is lost, and nobody hides it",
    )
    .option(
      "--accept-key",
      "sign a roster in which keys follow others, too: their holders say that they are theirs",
    )
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit audit countersign --dir auditor --coordinator 127.0.0.1:8443 --yes",
    )
    .action(async (flags: Connection & { yes?: true; acceptLoss?: true; acceptKey?: true }) => {
      const client = await connect(flags);
      try {
        const { note, roster } = await client.pendingRoster();
        const before = await readSigned(flags.dir);
        const changes = rosterChanges(before, roster);
        const keys = successionsSince(before?.successions ?? [], roster.successions ?? []);
        if (flags.json)
          print(
            JSON.stringify({
              ...shown(roster),
              changes,
              keys: keys.map(({ holder, from, to }) => ({ holder, from, to })),
              signed: flags.yes === true,
            }),
          );
        else {
          print(`roster ${roster.version} of ${roster.consortium}`);
          for (const { id, organisation, identity } of shown(roster).members)
            print(`  ${id}  ${organisation}  ${identity}`);
          print(before === undefined ? "this auditor signs its first" : `against roster ${before.version}:`);
          for (const line of describeChanges(changes)) print(`  ${line}`);
          for (const succession of keys) print(`  ${describeSuccession(succession)}`);
        }
        if (before !== undefined && roster.version <= before.version)
          tell(`careful: roster ${before.version} was signed before, and this one does not come after it`);
        const lost = recoveriesSince(before?.recoveries ?? [], roster.recoveries ?? []);
        await checkLoss(flags.dir, logRecoveries(lost));
        if (flags.yes && lost.length > 0 && !flags.acceptLoss)
          throw new Refusal(
            "usage",
            "the roster says that something was lost, and --accept-loss is not given",
            {
              hint: "not signed: ask the bank what happened, compare with its last export, then add --accept-loss",
            },
          );
        if (flags.yes && keys.length > 0 && !flags.acceptKey)
          throw new Refusal("usage", "keys follow others in this roster, and --accept-key is not given", {
            hint: "not signed: compare each new fingerprint with its holder over another channel, then add --accept-key",
          });
        if (flags.yes) {
          const own = await ownKeyIn(flags.dir, roster.successions ?? []);
          await writeSigned(flags.dir, await client.countersign(note, own));
        } else tell("not signed: compare the fingerprints with the enterprises', then add --yes");
      } finally {
        client.close();
      }
    });
}

function rotateKeyCommand(): Command {
  return remoteCommand("rotate-key", "make this auditor's next key, and let the bank propose it")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit audit rotate-key --dir auditor --coordinator 127.0.0.1:8443",
    )
    .action(async (flags: Connection) => {
      const client = await connect(flags);
      try {
        const now = await ownKeyIn(flags.dir, (await readSigned(flags.dir))?.successions ?? []);
        const next = await makeNextKey(flags.dir, secureRandom);
        const { name: bank } = await pinnedBankKey(flags);
        const keys = {
          holder: "auditor",
          from: verifierKey(now.name, now.publicKey),
          to: next.verifierKey,
        };
        const succession = signSuccession(
          bank.split("/")[0]!,
          keys,
          noteSigner(now.name, now.seed),
          noteSigner(next.name, next.seed),
        );
        await client.proposeSuccession(successionLine(succession));
        const shownKey = { verifierKey: keys.to, fingerprint: fingerprint(keys.to) };
        if (flags.json) print(JSON.stringify(shownKey));
        else print(`verifier key  ${shownKey.verifierKey}\nfingerprint   ${shownKey.fingerprint}`);
        tell("in force once it has signed the roster: fedcredit audit countersign --yes --accept-key");
      } finally {
        client.close();
      }
    });
}

/** What an auditor compares with each enterprise over another channel. */
const shown = (roster: Awaited<ReturnType<AuditorClient["pendingRoster"]>>["roster"]) => ({
  consortium: roster.consortium,
  version: roster.version,
  members: roster.members.map(({ id, organisation, verifierKey }) => ({
    id,
    organisation,
    identity: fingerprint(verifierKey),
  })),
});

function receiptCommand(): Command {
  return remoteCommand("receipt", "fetch the proof that one entry is in the log, cosigned by this auditor")
    .requiredOption("--index <n>", "the entry's number, counted from 0", (text) => {
      if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Give a whole number");
      return Number(text);
    })
    .requiredOption("--out <file>", "where the receipt goes (.tlog-proof)")
    .addHelpText(
      "after",
      `
Example:
  fedcredit audit receipt --dir auditor --coordinator 127.0.0.1:8443 --index 0 --out entry-0.tlog-proof`,
    )
    .action(async (flags: Connection & { index: number; out: string }) => {
      const client = await connect(flags);
      try {
        const witnessed = await lookAt(client, flags.dir);
        await writeWhole(flags.out, await client.receipt(flags.index, witnessed));
        const { index, out: file } = flags;
        print(flags.json ? JSON.stringify({ file, index, size: witnessed.size }) : file);
      } finally {
        client.close();
      }
    });
}
