/** Who belongs to the consortium: `token`, `admit`, `roster`, `enterprise`; and who works for the bank: `operator`. */

import { Command } from "commander";
import { wholeNumber } from "../../core/number-argument.ts";
import { secureRandom } from "../../core/random.ts";
import { print, tell } from "../../core/terminal.ts";
import { endOf } from "../../privacy/certificate-life.ts";
import { fingerprint, parseNote } from "../../privacy/log/note.ts";
import { parseRoster } from "../../privacy/roster.ts";
import { makeOperatorFolder, recertifyOperator } from "../authority/keys.ts";
import { readConfig } from "../config.ts";
import { tokenSeconds } from "../operator.ts";
import { asOperator, type OperatorFlags, operatorCommand, readText } from "./connection.ts";

const config = "--config bank/coordinator.yaml";

export const memberCommands = (): Command[] => [
  tokenCommand(),
  admitCommand(),
  recoverCommand(),
  rosterCommand(),
  rotateKeyCommand(),
  renewAuthorityCommand(),
  enterpriseCommand(),
  operatorsCommand(),
];

const tokenCommand = (): Command =>
  operatorCommand(
    "token",
    "make a one-time enrolment token",
    `token mill --organisation "Mill Ltd" ${config}`,
  )
    .argument("<enterprise>", "its id: lowercase letters, digits and hyphens")
    .requiredOption("--organisation <name>", "the legal person behind it")
    .option("--valid-hours <n>", "how long the token works", wholeNumber(1, 1_000_000), tokenSeconds / 3600)
    .action((enterprise: string, flags: OperatorFlags & { organisation: string; validHours: number }) =>
      asOperator(flags, async (operator) => {
        const made = await operator.createToken(enterprise, flags.organisation, flags.validHours * 3600);
        print(flags.json ? JSON.stringify({ enterprise, token: made }) : made);
      }),
    );

const admitCommand = (): Command =>
  operatorCommand(
    "admit",
    "propose a roster with enrolled enterprises, for the auditor to sign",
    `admit ${config}`,
  )
    .argument("[enterprises...]", "ids; everyone enrolled by default")
    .action((enterprises: string[], flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const note = await operator.admit(enterprises);
        print(flags.json ? JSON.stringify({ note }) : note.trimEnd());
        tell("the roster counts once the auditor has signed it: fedcredit audit countersign");
      }),
    );

const recoverCommand = (): Command =>
  operatorCommand(
    "recover",
    "after an older backup was restored: propose the roster that says what the log lost",
    `recover --checkpoint seen.note --roster roster.note ${config}`,
  )
    .requiredOption(
      "--checkpoint <file...>",
      "checkpoints of the log that were shown before: seen.note of the auditor, what fedcredit node checkpoint prints",
    )
    .option("--roster <file>", "roster.note of the auditor: the newest roster that it signed")
    .option(
      "--kept <n>",
      "entries that the backup had; by default what fedcredit coordinator restore found",
      wholeNumber(0, 1_000_000_000),
    )
    .action((flags: OperatorFlags & { checkpoint: string[]; roster?: string; kept?: number }) =>
      asOperator(flags, async (operator) => {
        const checkpoints = await Promise.all(flags.checkpoint.map(readText));
        const roster = flags.roster === undefined ? "" : await readText(flags.roster);
        const note = await operator.recover(checkpoints, roster, flags.kept ?? 0);
        print(flags.json ? JSON.stringify({ note }) : note.trimEnd());
        tell(
          "enterprises go on once the auditor has signed it: fedcredit audit countersign --yes --accept-loss",
        );
      }),
    );

const rosterCommand = (): Command =>
  operatorCommand("roster", "print the roster in force, with both signatures", `roster ${config}`).action(
    (flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const note = await operator.roster();
        print(flags.json ? JSON.stringify({ note }) : note.trimEnd());
      }),
  );

const rotateKeyCommand = (): Command =>
  operatorCommand(
    "rotate-key",
    "make a new key of the bank, for log and rosters, and propose it to the auditor",
    `rotate-key ${config}`,
  ).action((flags: OperatorFlags) =>
    asOperator(flags, async (operator) => {
      const note = await operator.rotateBankKey();
      const { successions = [] } = parseRoster(parseNote(note).text);
      const { to } = successions.findLast(({ holder }) => holder === "bank")!;
      if (flags.json) print(JSON.stringify({ note, bankKey: to, fingerprint: fingerprint(to) }));
      else print(`bank key     ${to}\nfingerprint  ${fingerprint(to)}`);
      tell(
        "in force once the auditor has signed: fedcredit audit countersign --yes --accept-key; until then the old key is. Copy the keys' folder",
      );
    }),
  );

const renewAuthorityCommand = (): Command =>
  operatorCommand(
    "renew-authority",
    "renew the certificate of the bank's authority, for the same key, before it ends",
    `renew-authority ${config}`,
  ).action((flags: OperatorFlags) =>
    asOperator(flags, async (operator) => {
      const expires = await operator.renewAuthority();
      const day = new Date(expires).toISOString().slice(0, 10);
      print(flags.json ? JSON.stringify({ expires }) : `renewed until ${day}`);
      tell("members take it over with the next certificate of their own; tokens made before are void");
    }),
  );

const enterpriseCommand = (): Command =>
  new Command("enterprise")
    .description("who has enrolled; expel one, revoke its certificates")
    .addHelpText("after", `\nExample:\n  fedcredit coordinator enterprise list ${config}`)
    .addCommand(listCommand())
    .addCommand(removeCommand())
    .addCommand(revokeCommand());

const listCommand = (): Command =>
  operatorCommand(
    "list",
    "enterprises, their standing and valid certificates",
    `enterprise list ${config}`,
  ).action((flags: OperatorFlags) =>
    asOperator(flags, async (operator) => {
      const all = await operator.enterprises();
      if (flags.json) print(JSON.stringify(all));
      else
        for (const { enterprise, organisation, standing, certificates } of all)
          print(`${enterprise}: ${standing}; ${organisation}; ${said(certificates)}`);
    }),
  );

/** What certificates somebody has, and when each ends. */
const said = (certificates: readonly { serial: string; expiresMillis: unknown }[]): string =>
  certificates.length === 0
    ? "no valid certificate"
    : certificates
        .map(({ serial, expiresMillis }) => `certificate ${serial}${until(expiresMillis)}`)
        .join(", ");

const until = (expiresMillis: unknown): string =>
  Number(expiresMillis) === 0 ? "" : ` until ${new Date(Number(expiresMillis)).toISOString().slice(0, 10)}`;

const removeCommand = (): Command =>
  operatorCommand(
    "remove",
    "expel an enterprise: cut off at once, and not in the next roster",
    `enterprise remove mill --reason "left the programme" ${config}`,
  )
    .argument("<enterprise>", "its id")
    .option("--reason <text>", "for the log, in a sentence", "")
    .action((enterprise: string, flags: OperatorFlags & { reason: string }) =>
      asOperator(flags, async (operator) => {
        const note = await operator.remove(enterprise, flags.reason);
        if (flags.json) print(JSON.stringify({ enterprise, note }));
        else if (note !== "") print(note.trimEnd());
        if (note !== "")
          tell("the roster without it counts once the auditor has signed it: fedcredit audit countersign");
      }),
    );

const revokeCommand = (): Command =>
  operatorCommand(
    "revoke",
    "revoke an enterprise's certificates, at once and for good",
    `enterprise revoke mill ${config}`,
  )
    .argument("<enterprise>", "its id")
    .action((enterprise: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const serials = await operator.revoke(enterprise);
        print(flags.json ? JSON.stringify({ enterprise, serials }) : serials.join("\n"));
        tell("it can enrol again with a new token: fedcredit coordinator token");
      }),
    );

const operatorsCommand = (): Command =>
  new Command("operator")
    .description("who may give the bank's commands; add or remove somebody, renew an ended certificate")
    .addHelpText("after", `\nExample:\n  fedcredit coordinator operator list ${config}`)
    .addCommand(listOperatorsCommand())
    .addCommand(addOperatorCommand())
    .addCommand(removeOperatorCommand())
    .addCommand(renewOperatorCommand())
    .addCommand(rotateOperatorCommand());

const listOperatorsCommand = (): Command =>
  operatorCommand("list", "operators and their valid certificates", `operator list ${config}`).action(
    (flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const all = await operator.operators();
        if (flags.json) print(JSON.stringify(all));
        else for (const { operator: id, certificates } of all) print(`${id}: ${said(certificates)}`);
      }),
  );

const addOperatorCommand = (): Command =>
  operatorCommand(
    "add",
    "make the folder of one more operator, with a key and a certificate of its own",
    `operator add maria --out maria ${config}`,
  )
    .argument("<operator>", "its id: lowercase letters, digits and hyphens")
    .requiredOption("--out <dir>", "folder to hand over; its coordinator.yaml is what its commands point at")
    .action((id: string, flags: OperatorFlags & { out: string }) =>
      asOperator(flags, async (operator) => {
        await makeOperatorFolder(readConfig(flags.config), flags.out, (csrPem) =>
          operator.addOperator(id, csrPem),
        );
        print(flags.json ? JSON.stringify({ operator: id, dir: flags.out }) : flags.out);
        tell("hand the folder over on a channel where you know who reads it: it holds a secret key");
      }),
    );

const removeOperatorCommand = (): Command =>
  operatorCommand(
    "remove",
    "revoke an operator's certificates, at once and for good",
    `operator remove maria ${config}`,
  )
    .argument("<operator>", "its id")
    .action((id: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const serials = await operator.removeOperator(id);
        print(flags.json ? JSON.stringify({ operator: id, serials }) : serials.join("\n"));
      }),
    );

const rotateOperatorCommand = (): Command =>
  operatorCommand(
    "rotate-key",
    "give this folder's operator a new key and certificate, and revoke those before",
    `operator rotate-key ${config}`,
  ).action((flags: OperatorFlags) =>
    asOperator(flags, async (operator) => {
      const { expires, revoked } = await operator.rotateKey();
      const day = new Date(expires).toISOString().slice(0, 10);
      print(
        flags.json
          ? JSON.stringify({ expires, revoked })
          : `new key, certified until ${day}; revoked: ${revoked.join(", ") || "none"}`,
      );
    }),
  );

const renewOperatorCommand = (): Command =>
  new Command("renew")
    .description("sign the certificate of this folder's operator anew, with the authority's key beside it")
    .requiredOption("--config <file>", "coordinator.yaml")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\nCertificates renew themselves while they are used; this is for one that ended. Where the authority's key is not at\nhand, another operator makes a new folder.\n\nExample:\n  fedcredit coordinator operator renew ${config}`,
    )
    .action(async (flags: { config: string; json?: true }) => {
      const expires = endOf(await recertifyOperator(readConfig(flags.config), Date.now(), secureRandom));
      const day = new Date(expires).toISOString().slice(0, 10);
      print(flags.json ? JSON.stringify({ expires }) : `renewed until ${day}`);
    });
