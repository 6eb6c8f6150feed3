/** Studies and what comes of them: `propose`, `start-study`, `stop-study`, `status`, `model`, `export`. */
import type { Command } from "commander";
import { z } from "zod";
import { writeWhole } from "../../core/files.ts";
import { isReason, Refusal } from "../../core/reasons.ts";
import { readYaml } from "../../core/yaml.ts";
import type { Operator, StudyView } from "../operator.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";
import { print, progress } from "./output.ts";

const config = "--config bank/coordinator.yaml";
const study = ["<study>", "name, or 8 digits or more of its digest"] as const;

export const studyCommands = (): Command[] => [
  proposeCommand(),
  startCommand(),
  stopCommand(),
  statusCommand(),
  modelCommand(),
  exportCommand(),
];

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
    "print a finished study's model document: exactly the bytes that its digest is of",
    `model sme-default-90 ${config}`,
  )
    .argument(...study)
    .action((wanted: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const { digest, model, text } = await operator.model((await operator.find(wanted)).study);
        if (flags.json) print(JSON.stringify({ digest, model }));
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
    .action((flags: OperatorFlags & { out: string }) =>
      asOperator(flags, async (operator) => {
        await writeWhole(flags.out, operator.exportLog());
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
    progress(line(view));
  }
  if (last === undefined || last.phase === "running")
    throw new Refusal("unavailable", "the coordinator ended the connection");
  if (last.phase === "failed" && isReason(last.reason))
    throw new Refusal(last.reason, `study ${last.name}: ${last.detail}`);
  if (last.phase !== "finished")
    throw new Refusal("message_unexpected", `study ${last.name} is ${last.phase}`);
  return last;
}
