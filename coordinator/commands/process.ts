/** The bank's process: `init`, `start`, `certify-auditor`, `backup`, `restore`. */

import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import type { Logger } from "pino";
import { addressArgument } from "../../core/address-argument.ts";
import { onEnding } from "../../core/ending.ts";
import { writeWhole } from "../../core/files.ts";
import { type LogFlags, logOptions, openLog } from "../../core/log.ts";
import { wholeNumber } from "../../core/number-argument.ts";
import { holdDataDir } from "../../core/one-process.ts";
import { secureRandom } from "../../core/random.ts";
import { print, tell } from "../../core/terminal.ts";
import { certifyAuditor, initCoordinator } from "../authority/keys.ts";
import { systemClock } from "../bank.ts";
import { type CoordinatorConfig, readConfig } from "../config.ts";
import { startCoordinator } from "../coordinator.ts";
import { backUp, restore } from "../restore.ts";
import { isServerAway, isServerLost } from "../store/sql.ts";
import { asOperator, type OperatorFlags, operatorCommand, readText } from "./connection.ts";

export const processCommands = (): Command[] => [
  initCommand(),
  startCommand(),
  certifyCommand(),
  backupCommand(),
  restoreCommand(),
];

interface InitFlags {
  readonly dir: string;
  readonly consortium: string;
  readonly auditorKey: string;
  readonly quorum: number;
  readonly listen: string;
  readonly enrolment: string;
  readonly database: string;
  readonly console?: string;
  readonly json?: true;
}

function initCommand(): Command {
  return new Command("init")
    .description("make a consortium: authority, bank key, operator's certificate, coordinator.yaml")
    .requiredOption("--dir <dir>", "directory to make it in")
    .requiredOption("--consortium <name>", "lowercase letters, digits and hyphens")
    .requiredOption("--auditor-key <key>", "the auditor's verifier key (fedcredit audit init prints it)")
    .requiredOption("--quorum <n>", "cosignatures a checkpoint needs to be exported", wholeNumber(0, 100))
    .option("--listen <host:port>", "where enterprises connect", addressArgument, "127.0.0.1:8443")
    .option("--enrolment <host:port>", "where enterprises enrol", addressArgument, "127.0.0.1:8444")
    .option("--database <where>", "embedded, or postgres://…", "embedded")
    .option(
      "--console <host:port>",
      "where the bank's people open the console in a browser; none without it",
      addressArgument,
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Example, after fedcredit audit init --out auditor:
  fedcredit coordinator init --dir bank --consortium riverbank --quorum 1 \\
    --auditor-key "$(cat auditor/auditor.pub)"`,
    )
    .action(async ({ auditorKey: auditor, json, ...flags }: InitFlags) => {
      const made = await initCoordinator({ ...flags, auditor, now: Date.now(), random: secureRandom });
      if (json) print(JSON.stringify(made));
      else
        print(
          `config          ${made.configFile}\nbank key        ${made.bankKey}\nCA fingerprint  ${made.caFingerprint}`,
        );
    });
}

function certifyCommand(): Command {
  return new Command("certify-auditor")
    .description("sign the auditor's certificate request (fedcredit audit request makes it)")
    .argument("<request>", "PKCS#10, PEM")
    .requiredOption("--config <file>", "coordinator.yaml")
    .requiredOption("--out <file>", "where certificate and authority go, PEM: hand it to the auditor")
    .addHelpText(
      "after",
      `
Example:
  fedcredit coordinator certify-auditor auditor/auditor.csr --config bank/coordinator.yaml \\
    --out auditor/auditor.pem`,
    )
    .action(async (request: string, flags: { config: string; out: string }) => {
      const text = await readText(request);
      const certificate = await certifyAuditor(readConfig(flags.config), text, Date.now(), secureRandom);
      await writeWhole(flags.out, certificate);
      print(flags.out);
    });
}

const backupCommand = (): Command =>
  operatorCommand(
    "backup",
    "write a backup of the running coordinator, as of one moment, and read it back",
    "backup --out bank.fcbackup --config bank/coordinator.yaml",
  )
    .requiredOption("--out <file>", "where it goes (.fcbackup); replaced only by a whole one")
    .action((flags: OperatorFlags & { out: string }) =>
      asOperator(flags, async (operator) => {
        const { size, time } = await backUp(operator, flags.out);
        print(flags.json ? JSON.stringify({ file: flags.out, entries: size, time }) : flags.out);
        tell(
          `${size} entries of the log; coordinator.yaml and keys are not in it: keep a copy of them apart`,
        );
      }),
    );

function restoreCommand(): Command {
  const command = new Command("restore")
    .description("restore a backup into an empty database, all of it or nothing")
    .argument("<backup>", "file written by coordinator backup (.fcbackup)")
    .requiredOption("--config <file>", "coordinator.yaml, with the bank's keys where it says");
  for (const option of logOptions()) command.addOption(option);
  return command
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit coordinator restore bank.fcbackup --config bank/coordinator.yaml",
    )
    .action(async (file: string, { config, json, ...flags }: { config: string; json?: true } & LogFlags) => {
      const { size, time } = await restore(
        withEnvironment(readConfig(config)),
        file,
        openLog(flags, Date.now),
      );
      const day = new Date(time).toISOString();
      print(json ? JSON.stringify({ entries: size, time }) : `${size} entries of the log, as of ${day}`);
      tell(
        "start the coordinator: enterprises wait until the auditor has looked (fedcredit audit watch); where it says log_forked, something was lost since: fedcredit coordinator recover",
      );
    });
}

function startCommand(): Command {
  const command = new Command("start")
    .description("run the coordinator until SIGTERM or SIGINT")
    .requiredOption("--config <file>", "coordinator.yaml");
  for (const option of logOptions()) command.addOption(option);
  return command
    .option("--json", "print the addresses as one JSON object")
    .addHelpText(
      "after",
      `
With database: embedded in the config, a PostgreSQL named by the environment's DATABASE_URL is used instead.

Example:
  fedcredit coordinator start --config bank/coordinator.yaml`,
    )
    .action(async ({ config: file, json, ...flags }: { config: string; json?: true } & LogFlags) => {
      const config = withEnvironment(readConfig(file));
      const log = openLog(flags, Date.now);
      // Also while it starts: its embedded database must not be left running.
      const asked = new Promise<void>((resolve) => onEnding(resolve));
      const letGo = await holdDataDir(config.dataDir, "coordinator");
      const start = () => startCoordinator({ config, log, clock: systemClock, random: secureRandom });
      const running = await whileItIsBack(start, config.database === "embedded", log, asked);
      const { address, enrolmentAddress, consoleUrl } = running;
      if (json)
        print(
          JSON.stringify({
            address,
            enrolment: enrolmentAddress,
            ...(consoleUrl && { console: consoleUrl }),
          }),
        );
      else
        print(
          `listening on ${address}, enrolment on ${enrolmentAddress}${consoleUrl ? `, console at ${consoleUrl}` : ""}`,
        );
      // What ends it of itself, another owner of the database say, ends the process too.
      await Promise.race([asked, running.finished]).finally(() => running.stop());
      letGo();
    });
}

const backMillis = 500;
const mostStarts = 120;

/**
 * Starts again where the database went away meanwhile: it was there, so that it is restarting, and a coordinator that
 * ended for that would leave its place to one started by mistake.
 * @param isOwn - whether the database is kept up by this process: it is then awaited from the first failure on.
 * @param asked - resolves once the process is to end.
 * @throws what `start` throws
 */
async function whileItIsBack<T>(
  start: () => Promise<T>,
  isOwn: boolean,
  log: Logger,
  asked: Promise<void>,
): Promise<T> {
  let isAsked = false;
  void asked.then(() => {
    isAsked = true;
  });
  let wasThere = isOwn;
  for (let starts = 1; ; starts++)
    try {
      return await start();
    } catch (error) {
      wasThere ||= isServerLost(error);
      if (isAsked || starts === mostStarts || !(isServerLost(error) || (wasThere && isServerAway(error))))
        throw error;
      log.error({ err: error }, "the database went away while the coordinator started: it starts again");
      await Promise.race([asked, delay(backMillis)]);
    }
}

/** A server in DATABASE_URL wins over the embedded one. */
const withEnvironment = (config: CoordinatorConfig): CoordinatorConfig =>
  config.database === "embedded" && process.env.DATABASE_URL
    ? { ...config, database: process.env.DATABASE_URL }
    : config;
