import { readFile } from "node:fs/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { pino } from "pino";
import { z } from "zod";
import { readRefusal, writeNewFiles, writeWhole } from "../core/files.ts";
import { Refusal } from "../core/reasons.ts";
import { readYaml } from "../core/yaml.ts";
import { certifyAuditor, initCoordinator } from "./authority/keys.ts";
import { type CoordinatorConfig, readConfig } from "./config.ts";
import { startCoordinator } from "./coordinator.ts";
import { Operator, type StudyView } from "./operator.ts";
import { studyTemplate } from "./studies/template.ts";

interface Common {
  readonly config: string;
  readonly address?: string;
  readonly json?: true;
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Give a whole number");
  return Number(text);
}

/** `fedcredit coordinator …`: the bank's process and what its operator does. Failures are Refusals. */
export function coordinatorCommand(): Command {
  const coordinator = new Command("coordinator")
    .description("the bank's process: rounds, aggregation, log; and its operator's commands")
    .addHelpText(
      "after",
      '\nExample:\n  fedcredit coordinator init --dir bank --consortium riverbank-sme \\\n    --auditor-key "$(cat auditor.pub)" --quorum 1\n  fedcredit coordinator start --config bank/coordinator.yaml',
    );
  coordinator.addCommand(initCommand());
  coordinator.addCommand(startCommand());
  coordinator.addCommand(certifyCommand());
  coordinator.addCommand(templateCommand());
  for (const command of operatorCommands()) coordinator.addCommand(command);
  return coordinator;
}

function initCommand(): Command {
  return new Command("init")
    .description("make a consortium: authority, bank key, operator's certificate, coordinator.yaml")
    .requiredOption("--dir <dir>", "directory to make it in")
    .requiredOption("--consortium <name>", "lowercase letters, digits and hyphens")
    .requiredOption("--auditor-key <key>", "the auditor's verifier key (fedcredit audit init prints it)")
    .requiredOption(
      "--quorum <n>",
      "cosignatures a checkpoint needs to be exported as witnessed",
      wholeNumber,
    )
    .option("--listen <host:port>", "where enterprises connect", "127.0.0.1:8443")
    .option("--enrolment <host:port>", "where enterprises enrol", "127.0.0.1:8444")
    .option("--database <where>", "embedded, or postgres://…", "embedded")
    .option("--json", "print one JSON object")
    .action(async (flags) => {
      const made = await initCoordinator({
        ...{ dir: flags.dir, consortium: flags.consortium, auditor: flags.auditorKey, quorum: flags.quorum },
        ...{ listen: flags.listen, enrolment: flags.enrolment, database: flags.database },
        ...{ now: Date.now() },
      });
      if (flags.json) print(JSON.stringify(made));
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
    .action(async (request: string, flags: { config: string; out: string }) => {
      const text = await readText(request);
      await writeWhole(flags.out, await certifyAuditor(readConfig(flags.config), text, Date.now()));
      print(flags.out);
    });
}

function templateCommand(): Command {
  return new Command("study-template")
    .description("write a manifest to fill in, with the columns of a table")
    .requiredOption("--config <file>", "coordinator.yaml")
    .requiredOption("--table <file>", "CSV as the enterprises have it; its header line is enough")
    .requiredOption("--label <column>", "the column that tells good from bad")
    .requiredOption("--out <file>", "where the manifest goes; a file that is there stays as it is")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit coordinator study-template --config bank/coordinator.yaml \\\n    --table loans.csv --label credit_status --out study.yaml",
    )
    .action(async (flags: { config: string; table: string; label: string; out: string }) => {
      const { consortium } = readConfig(flags.config);
      const text = studyTemplate({ consortium, table: await readText(flags.table), label: flags.label });
      writeNewFiles([{ path: flags.out, text, mode: 0o644 }]);
      print(flags.out);
    });
}

function startCommand(): Command {
  return new Command("start")
    .description("run the coordinator until SIGTERM or SIGINT")
    .requiredOption("--config <file>", "coordinator.yaml")
    .addOption(
      new Option("--log-level <level>", "what the operational log on stderr holds")
        .choices(["trace", "debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .option("--json", "print the addresses as one JSON object")
    .action(async ({ config: file, logLevel, json }: { config: string; logLevel: string; json?: true }) => {
      const config = withEnvironment(readConfig(file));
      const log = pino({ level: logLevel }, pino.destination(2));
      const running = await startCoordinator({ config, log });
      const { address, enrolmentAddress } = running;
      if (json) print(JSON.stringify({ address, enrolment: enrolmentAddress }));
      else print(`listening on ${address}, enrolment on ${enrolmentAddress}`);
      const asked = new Promise<void>((resolve) => {
        for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
      });
      await Promise.race([asked, running.finished]);
      await running.stop();
    });
}

/** A server in DATABASE_URL wins over the embedded one. */
const withEnvironment = (config: CoordinatorConfig): CoordinatorConfig =>
  config.database === "embedded" && process.env.DATABASE_URL
    ? { ...config, database: process.env.DATABASE_URL }
    : config;

/** A command that speaks to a running coordinator with the operator's certificate. */
function operatorCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption("--config <file>", "coordinator.yaml")
    .option("--address <host:port>", "of the coordinator; the config's listen by default")
    .option("--json", "print JSON");
}

async function asOperator<T>(flags: Common, work: (operator: Operator) => Promise<T>): Promise<T> {
  const config = readConfig(flags.config);
  const operator = await Operator.connect(config, flags.address);
  try {
    return await work(operator);
  } finally {
    operator.close();
  }
}

function operatorCommands(): Command[] {
  const token = operatorCommand("token", "make a one-time enrolment token")
    .argument("<enterprise>", "its id: lowercase letters, digits and hyphens")
    .requiredOption("--organisation <name>", "the legal person behind it")
    .option("--valid-hours <n>", "how long the token works", wholeNumber, 24)
    .action((enterprise: string, flags: Common & { organisation: string; validHours: number }) =>
      asOperator(flags, async (operator) => {
        const made = await operator.createToken(enterprise, flags.organisation, flags.validHours * 3600);
        print(flags.json ? JSON.stringify({ enterprise, token: made }) : made);
      }),
    );

  const admit = operatorCommand(
    "admit",
    "propose a roster with enrolled enterprises, for the auditor to sign",
  )
    .argument("[enterprises...]", "ids; everyone enrolled by default")
    .action((enterprises: string[], flags: Common) =>
      asOperator(flags, async (operator) => {
        const note = await operator.admit(enterprises);
        print(flags.json ? JSON.stringify({ note }) : note.trimEnd());
        progress("the roster counts once the auditor has signed it: fedcredit audit countersign");
      }),
    );

  const propose = operatorCommand("propose", "propose a study to all enterprises")
    .argument("<manifest>", "study.yaml or .json")
    .action((file: string, flags: Common) =>
      asOperator(flags, async (operator) => {
        const study = await operator.propose(readYaml(file, z.unknown()));
        print(flags.json ? JSON.stringify({ study }) : study);
      }),
    );

  const follow = (operator: Operator, study: string): Promise<StudyView> => followToEnd(operator, study);
  const start = operatorCommand("start-study", "start a proposed study")
    .argument("<study>", "name or digest")
    .option("--wait", "follow it until it has ended; a study that does not finish is a failure")
    .action((wanted: string, flags: Common & { wait?: true }) =>
      asOperator(flags, async (operator) => {
        const { study } = await operator.find(wanted);
        const started = await operator.start(study);
        show(flags.wait ? await follow(operator, study) : started, flags);
      }),
    );

  const stop = operatorCommand("stop-study", "stop a study for good")
    .argument("<study>", "name or digest")
    .action((wanted: string, flags: Common) =>
      asOperator(flags, async (operator) =>
        show(await operator.stop((await operator.find(wanted)).study), flags),
      ),
    );

  const status = operatorCommand("status", "studies and where they stand").action((flags: Common) =>
    asOperator(flags, async (operator) => {
      const studies = await operator.studies();
      if (flags.json) print(JSON.stringify(studies));
      else for (const view of studies) print(line(view));
    }),
  );

  const model = operatorCommand("model", "print a finished study's model document")
    .argument("<study>", "name or digest")
    .action((wanted: string, flags: Common) =>
      asOperator(flags, async (operator) => {
        const { digest, model: document } = await operator.model((await operator.find(wanted)).study);
        print(
          flags.json ? JSON.stringify({ digest, model: document }) : JSON.stringify(document, undefined, 2),
        );
      }),
    );

  const exportLog = operatorCommand("export", "write the privacy log for fedcredit audit verify")
    .requiredOption("--out <file>", "where it goes (.fcexport)")
    .action((flags: Common & { out: string }) =>
      asOperator(flags, async (operator) => {
        await writeWhole(flags.out, operator.exportLog());
        print(flags.json ? JSON.stringify({ file: flags.out }) : flags.out);
      }),
    );

  return [token, admit, propose, start, stop, status, model, exportLog];
}

const line = ({ name, phase, algorithm, round, attempt, consented, reason, detail }: StudyView): string =>
  [
    `${name}: ${phase}`,
    ...(phase === "running" ? [`${algorithm}, round ${round}, attempt ${attempt}`] : []),
    `${consented.length} consented`,
    ...(reason === "" ? [] : [`${reason}: ${detail}`]),
  ].join("; ");

const show = (view: StudyView, { json }: Common): void => print(json ? JSON.stringify(view) : line(view));

/** @throws Refusal the study's own reason, when it did not finish. */
async function followToEnd(operator: Operator, study: string): Promise<StudyView> {
  let last: StudyView | undefined;
  for await (const view of operator.follow(study)) {
    last = view;
    progress(line(view));
  }
  if (last === undefined || last.phase === "running")
    throw new Refusal("unavailable", "the coordinator ended the connection");
  if (last.phase === "failed" && last.reason !== "")
    throw new Refusal(last.reason as Refusal["reason"], `study ${last.name}: ${last.detail}`);
  if (last.phase !== "finished")
    throw new Refusal("message_unexpected", `study ${last.name} is ${last.phase}`);
  return last;
}

/** @throws Refusal file_missing */
const readText = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: unknown) => {
    throw readRefusal(file, cause);
  });
