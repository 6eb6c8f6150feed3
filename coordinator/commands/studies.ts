/** Studies and what comes of them: `study …`, `model`, `prune`, `export`. */

import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { csvRecords, decodeText } from "../../core/csv.ts";
import { readRefusal, writeInto, writeNewFiles, writeWhole } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import { print } from "../../core/terminal.ts";
import { exportedFiles, formatsText } from "../../models/exported.ts";
import { readConfig } from "../config.ts";
import { columnsOfDictionary } from "../studies/dictionary.ts";
import { columnsOfTable, type StudyColumns, studyTemplate } from "../studies/template.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";
import { scoreCommand } from "./score.ts";
import {
  checkCommand,
  groupsCommand,
  listCommand,
  type Naming,
  pauseCommand,
  proposeCommand,
  retryCommand,
  startCommand,
  statusCommand,
  stopCommand,
  studyArgument,
} from "./study-life.ts";

const config = "--config bank/coordinator.yaml";

/** The commands of before `study`: scripts that call them go on working. */
const former: Readonly<Record<string, (naming: Naming) => Command>> = {
  "study-template": (naming) => initCommand(naming),
  propose: proposeCommand,
  "start-study": startCommand,
  "stop-study": stopCommand,
  status: statusCommand,
};

const life: Readonly<Record<string, (naming: Naming) => Command>> = {
  init: (naming) => initCommand(naming),
  groups: groupsCommand,
  check: checkCommand,
  propose: proposeCommand,
  start: startCommand,
  status: statusCommand,
  list: listCommand,
  pause: pauseCommand,
  retry: retryCommand,
  stop: stopCommand,
};

export function studyCommands(): { shown: Command[]; hidden: Command[] } {
  const study = new Command("study").description("a study from its manifest to its end");
  for (const [name, make] of Object.entries(life)) study.addCommand(make({ name, before: "study " }));
  study.addHelpText(
    "after",
    `
Example:
  fedcredit coordinator study init --table loans.csv --label default --out study.yaml ${config}
  fedcredit coordinator study check study.yaml ${config}
  fedcredit coordinator study propose study.yaml ${config}
  fedcredit coordinator study start sme-default-90 ${config}
  fedcredit coordinator study status sme-default-90 --watch ${config}`,
  );
  return {
    shown: [study, modelCommand(), scoreCommand(), pruneCommand(), exportCommand()],
    hidden: Object.entries(former).map(([name, make]) => make({ name, before: "" })),
  };
}

interface InitFlags {
  readonly config: string;
  readonly table?: string;
  readonly label?: string;
  readonly dictionary?: string;
  readonly out: string;
  readonly encoding?: string;
  readonly json?: true;
}

const initCommand = ({ name, before }: Naming): Command =>
  new Command(name)
    .description(
      "write a manifest to fill in, with the columns of a table or of the consortium's data dictionary",
    )
    .requiredOption("--config <file>", "coordinator.yaml")
    .option(
      "--dictionary <file>",
      "CSV with a line a column: name, kind (numeric, categorical, label, subject, unused), levels (a|b|c), description",
    )
    .option(
      "--table <file>",
      "CSV as the enterprises have it; its header line is enough, rows say which columns are no numbers",
    )
    .option("--label <column>", "of the table: the column that tells good from bad; needed with --table")
    .requiredOption("--out <file>", "where the manifest goes; a file that is there stays as it is")
    .option("--encoding <name>", "of the table: gbk, windows-1252, …; UTF-8 by default")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\nExample:\n  fedcredit coordinator ${before}${name} --table loans.csv --label default --out study.yaml ${config}`,
    )
    .action(async (flags: InitFlags) => {
      const { consortium } = readConfig(flags.config);
      const text = studyTemplate(consortium, await studyColumns(flags));
      writeNewFiles([{ path: flags.out, text, mode: 0o644 }]);
      print(flags.json ? JSON.stringify({ file: flags.out }) : flags.out);
    });

/** @throws Refusal usage, unless there is one source of columns; file_missing, and the source's own */
async function studyColumns({ table, label, dictionary, encoding }: InitFlags): Promise<StudyColumns> {
  if ((table === undefined) === (dictionary === undefined))
    throw new Refusal("usage", "give --table or --dictionary", { hint: "the columns come from one of them" });
  if (table !== undefined && label === undefined)
    throw new Refusal("usage", "--table needs --label", { hint: "name the column that tells good from bad" });
  if (dictionary !== undefined && label !== undefined)
    throw new Refusal("usage", "--label is of a table", { hint: "the dictionary's kind label says it" });
  const file = (table ?? dictionary)!;
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw readRefusal(file, cause);
  });
  const records = csvRecords(decodeText(bytes, file, encoding), file);
  return label === undefined ? columnsOfDictionary(records) : columnsOfTable(records, label);
}

const pruneCommand = (): Command =>
  operatorCommand(
    "prune",
    "remove sums and models whose study's retention is over; done by itself once a day",
    `prune ${config}`,
  ).action((flags: OperatorFlags) =>
    asOperator(flags, async (operator) => {
      const { removed, awaited, checkpoints } = await operator.prune();
      if (flags.json) return print(JSON.stringify({ removed, awaited, checkpoints }));
      for (const name of removed) print(`${name}: sums and model removed`);
      for (const name of awaited)
        print(`${name}: in the log; removed once a checkpoint with that entry is cosigned`);
      print(`${checkpoints} old checkpoints removed`);
    }),
  );

const modelCommand = (): Command =>
  operatorCommand(
    "model",
    "print a finished study's model document, exactly the bytes that its digest is of, or export a model of it",
    `model sme-default-90 --format layers --out model ${config}`,
  )
    .argument(...studyArgument)
    .option("--format <name>", `${formatsText}; needs --out`)
    .option("--result <name>", "which of the study's models; the only one that has the format by default")
    .option("--out <dir>", "directory to export into")
    .action((wanted: string, flags: OperatorFlags & { format?: string; out?: string; result?: string }) =>
      asOperator(flags, async (operator) => {
        const { digest, model, text } = await operator.model((await operator.find(wanted)).study);
        const { format, out, result } = flags;
        if (format !== undefined || out !== undefined || result !== undefined) {
          if (format === undefined || out === undefined)
            throw new Refusal("usage", "an export needs --format and --out", {
              hint: "give both, or neither",
            });
          const choice = { format, ...(result === undefined ? {} : { result }) };
          const files = await writeInto(out, await exportedFiles(model, choice));
          print(flags.json ? JSON.stringify({ digest, files }) : files.join("\n"));
        } else if (flags.json) print(JSON.stringify({ digest, model }));
        else process.stdout.write(text);
      }),
    );

const exportCommand = (): Command =>
  operatorCommand(
    "export",
    "write the privacy log for fedcredit audit verify",
    `export --out bank.fcexport ${config}`,
  )
    .requiredOption("--out <file>", "where it goes (.fcexport)")
    .option("--without-sums", "leave sums and models out: then an auditor cannot recompute the models")
    .action((flags: OperatorFlags & { out: string; withoutSums?: true }) =>
      asOperator(flags, async (operator) => {
        await writeWhole(flags.out, operator.exportLog(flags.withoutSums === true));
        print(flags.json ? JSON.stringify({ file: flags.out }) : flags.out);
      }),
    );
