/** Studies and what comes of them: `study-template`, `propose`, `start-study`, `stop-study`, `status`, `model`, `prune`, `export`. */

import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { z } from "zod";
import { readRefusal, writeNewFiles, writeWhole } from "../../core/files.ts";
import { isReason, Refusal } from "../../core/reasons.ts";
import { print, tell } from "../../core/terminal.ts";
import { readYaml } from "../../core/yaml.ts";
import { readConfig } from "../config.ts";
import type { Operator, StudyView } from "../operator.ts";
import { type ExportChoice, exportModel } from "../studies/model-export.ts";
import { studyTemplate } from "../studies/template.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";

const config = "--config bank/coordinator.yaml";
const study = ["<study>", "name, or 8 digits or more of its digest"] as const;

export const studyCommands = (): Command[] => [
  templateCommand(),
  proposeCommand(),
  startCommand(),
  stopCommand(),
  statusCommand(),
  modelCommand(),
  pruneCommand(),
  exportCommand(),
];

const templateCommand = (): Command =>
  new Command("study-template")
    .description("write a manifest to fill in, with the columns of a table")
    .requiredOption("--config <file>", "coordinator.yaml")
    .requiredOption("--table <file>", "CSV as the enterprises have it; its header line is enough")
    .requiredOption("--label <column>", "the column that tells good from bad")
    .requiredOption("--out <file>", "where the manifest goes; a file that is there stays as it is")
    .addHelpText(
      "after",
      `\nExample:\n  fedcredit coordinator study-template --table loans.csv --label default --out study.yaml ${config}`,
    )
    .action(async (flags: { config: string; table: string; label: string; out: string }) => {
      const { consortium } = readConfig(flags.config);
      const table = await readFile(flags.table, "utf8").catch((cause: unknown) => {
        throw readRefusal(flags.table, cause);
      });
      const text = studyTemplate({ consortium, table, label: flags.label });
      writeNewFiles([{ path: flags.out, text, mode: 0o644 }]);
      print(flags.out);
    });

const proposeCommand = (): Command =>
  operatorCommand("propose", "propose a study to all enterprises", `propose study.yaml ${config}`)
    .argument("<manifest>", "study.yaml or .json")
    .action((file: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const digest = await operator.propose(readYaml(file, z.unknown()));
        print(flags.json ? JSON.stringify({ study: digest }) : digest);
      }),
    );

const startCommand = (): Command =>
  operatorCommand("start-study", "start a proposed study", `start-study sme-default-90 --wait ${config}`)
    .argument(...study)
    .option("--wait", "follow it until it has ended; a study that does not finish is a failure")
    .action((wanted: string, flags: OperatorFlags & { wait?: true }) =>
      asOperator(flags, async (operator) => {
        const { study } = await operator.find(wanted);
        const started = await operator.start(study);
        show(flags.wait ? await followToEnd(operator, study) : started, flags);
      }),
    );

const stopCommand = (): Command =>
  operatorCommand("stop-study", "stop a study for good", `stop-study sme-default-90 ${config}`)
    .argument(...study)
    .action((wanted: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) =>
        show(await operator.stop((await operator.find(wanted)).study), flags),
      ),
    );

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

const statusCommand = (): Command =>
  operatorCommand("status", "studies and where they stand", `status ${config}`).action(
    (flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const studies = await operator.studies();
        if (flags.json) print(JSON.stringify(studies));
        else for (const view of studies) print(line(view));
      }),
  );

const modelCommand = (): Command =>
  operatorCommand(
    "model",
    "print a finished study's model document, exactly the bytes that its digest is of, or export a model of it",
    `model sme-default-90 --format layers --out model ${config}`,
  )
    .argument(...study)
    .option(
      "--format <name>",
      "csv: a scorecard's table; layers: what tf.loadLayersModel of TensorFlow.js reads; needs --out",
    )
    .option("--result <name>", "which of the study's models; the only one that has the format by default")
    .option("--out <dir>", "directory to export into")
    .action((wanted: string, flags: OperatorFlags & Partial<ExportChoice>) =>
      asOperator(flags, async (operator) => {
        const { digest, model, text } = await operator.model((await operator.find(wanted)).study);
        if (flags.format !== undefined || flags.out !== undefined) {
          const files = await exportModel(model, flags);
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

const line = ({ name, phase, algorithm, round, attempt, consented, reason, detail }: StudyView): string =>
  [
    `${name}: ${phase}`,
    ...(phase === "running" ? [`${algorithm}, round ${round}, attempt ${attempt}`] : []),
    `${consented.length} consented`,
    ...(reason === "" ? [] : [`${reason}: ${detail}`]),
  ].join("; ");

const show = (view: StudyView, { json }: OperatorFlags): void =>
  print(json ? JSON.stringify(view) : line(view));

/** @throws Refusal the study's own reason, when it did not finish. */
async function followToEnd(operator: Operator, study: string): Promise<StudyView> {
  let last: StudyView | undefined;
  for await (const view of operator.follow(study)) {
    last = view;
    tell(line(view));
  }
  if (last === undefined || last.phase === "running")
    throw new Refusal("unavailable", "the coordinator ended the connection");
  if (last.phase === "failed" && isReason(last.reason))
    throw new Refusal(last.reason, `study ${last.name}: ${last.detail}`);
  if (last.phase !== "finished")
    throw new Refusal("message_unexpected", `study ${last.name} is ${last.phase}`);
  return last;
}
