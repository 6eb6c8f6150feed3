/** A study from check to stop: `check`, `propose`, `start`, `status`, `list`, `pause`, `retry`, `stop`. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { z } from "zod";
import { wholeNumber } from "../../core/number-argument.ts";
import { secureRandom } from "../../core/random.ts";
import { isReason, Refusal, reasons } from "../../core/reasons.ts";
import { print, tell } from "../../core/terminal.ts";
import { readYaml } from "../../core/yaml.ts";
import { drawGroups } from "../../models/groups.ts";
import { parseNote } from "../../privacy/log/note.ts";
import { parseRoster } from "../../privacy/roster.ts";
import type { Operator, StudyView } from "../operator.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";
import { checkLines, inspectionLines, viewLine } from "./study-text.ts";

const config = "--config bank/coordinator.yaml";
export const studyArgument = ["<study>", "name, or 8 digits or more of its digest"] as const;
const manifestArgument = ["<manifest>", "study.yaml or .json"] as const;

/** How a command is called: its name, and the words before it. */
export interface Naming {
  readonly name: string;
  readonly before: string;
}

const described = ({ name, before }: Naming, description: string, example: string): Command =>
  operatorCommand(name, description, `${before}${name} ${example} ${config}`);

export const checkCommand = (naming: Naming): Command =>
  described(naming, "say everything that is wrong with a manifest, and what it would cost", "study.yaml")
    .argument(...manifestArgument)
    .action((file: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const found = await operator.check(readYaml(file, z.unknown()));
        if (flags.json) print(JSON.stringify(found));
        else for (const line of checkLines(found)) print(line);
        const [first] = found.problems;
        if (first === undefined) return;
        const { length } = found.problems;
        // What they are stands above.
        throw new Refusal(
          isReason(first.reason) ? first.reason : "parameters_invalid",
          `${file}: ${length === 1 ? "one problem" : `${length} problems`}`,
          { hint: length === 1 ? first.hint : "correct what the lines that begin with problem say" },
        );
      }),
    );

export const groupsCommand = (naming: Naming): Command =>
  described(
    naming,
    "deal the roster's members to groups, at random, as a manifest has them: additive, boosting and neural then stand members that poison their updates",
    "--count 5",
  )
    .requiredOption(
      "--count <n>",
      "how many: 2f + 1 stand f members that poison sums; as many as minCohort allows stand them best",
      wholeNumber(1, 1_000_000),
    )
    .action((flags: OperatorFlags & { count: number }) =>
      asOperator(flags, async (operator) => {
        const { members } = parseRoster(parseNote(await operator.roster()).text);
        const groups = drawGroups(members, flags.count, secureRandom);
        if (flags.json) return print(JSON.stringify({ groups }));
        print("groups:");
        for (const group of groups) print(`  - [${group.join(", ")}]`);
      }),
    );

export const proposeCommand = (naming: Naming): Command =>
  described(naming, "propose a study to all enterprises", "study.yaml")
    .argument(...manifestArgument)
    .action((file: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const digest = await operator.propose(readYaml(file, z.unknown()));
        print(flags.json ? JSON.stringify({ study: digest }) : digest);
      }),
    );

export const startCommand = (naming: Naming): Command =>
  described(naming, "start a proposed study", "sme-default-90 --wait")
    .argument(...studyArgument)
    .option("--wait", "follow it until it has ended; a study that does not finish is a failure")
    .action((wanted: string, flags: OperatorFlags & { wait?: true }) =>
      order(wanted, flags, (operator, study) => operator.start(study)),
    );

export const pauseCommand = (naming: Naming): Command =>
  described(naming, "finish the sum under way and take no other, until retry", "sme-default-90")
    .argument(...studyArgument)
    .action((wanted: string, flags: OperatorFlags) =>
      order(wanted, flags, (operator, study) => operator.pause(study)),
    );

export const retryCommand = (naming: Naming): Command =>
  described(
    naming,
    "go on with a paused or failed study from its last state: same manifest, same consents, no sum twice",
    "sme-default-90 --wait",
  )
    .argument(...studyArgument)
    .option("--wait", "follow it until it has ended; a study that does not finish is a failure")
    .action((wanted: string, flags: OperatorFlags & { wait?: true }) =>
      order(wanted, flags, (operator, study) => operator.retry(study)),
    );

export const stopCommand = (naming: Naming): Command =>
  described(naming, "stop a study for good", "sme-default-90")
    .argument(...studyArgument)
    .action((wanted: string, flags: OperatorFlags) =>
      order(wanted, flags, (operator, study) => operator.stop(study)),
    );

export const listCommand = (naming: Naming): Command =>
  described(naming, "all studies and where they stand", "--json").action((flags: OperatorFlags) =>
    asOperator(flags, (operator) => list(operator, flags)),
  );

export const statusCommand = (naming: Naming): Command =>
  described(
    naming,
    "where a study stands: who is connected, who consented and who not, what it waits for",
    "sme-default-90 --watch",
  )
    .argument("[study]", `${studyArgument[1]}; all studies, a line each, without it`)
    .option("--watch", "say it again whenever it changes, until the study has ended")
    .action((wanted: string | undefined, flags: OperatorFlags & { watch?: true }) =>
      asOperator(flags, async (operator) => {
        if (wanted === undefined) {
          if (flags.watch)
            throw new Refusal("usage", "--watch needs a study", { hint: "name the study to watch" });
          await list(operator, flags);
          return;
        }
        const { study } = await operator.find(wanted);
        await (flags.watch ? watch(operator, study, flags) : showInspection(operator, study, flags));
      }),
    );

async function list(operator: Operator, { json }: OperatorFlags): Promise<void> {
  const studies = await operator.studies();
  if (json) print(JSON.stringify(studies));
  else if (studies.length === 0) tell("no study was proposed yet");
  else for (const view of studies) print(viewLine(view));
}

const order = (
  wanted: string,
  flags: OperatorFlags & { readonly wait?: true },
  give: (operator: Operator, study: string) => Promise<StudyView>,
): Promise<void> =>
  asOperator(flags, async (operator) => {
    const { study } = await operator.find(wanted);
    const view = await give(operator, study);
    const last = flags.wait ? await followToEnd(operator, study) : view;
    print(flags.json ? JSON.stringify(last) : viewLine(last));
  });

/** @returns the text printed. */
async function showInspection(
  operator: Operator,
  study: string,
  { json }: OperatorFlags,
  before = "",
): Promise<{ text: string; phase: string }> {
  const found = await operator.inspect(study);
  const text = json ? JSON.stringify(found) : inspectionLines(found).join("\n");
  if (text !== before) print(text);
  return { text, phase: found.phase };
}

const watchMillis = 1000;

/** Who is connected is no change of the study: so it is asked for. */
async function watch(operator: Operator, study: string, flags: OperatorFlags): Promise<void> {
  let last = await showInspection(operator, study, flags);
  while (!["finished", "failed", "stopped"].includes(last.phase)) {
    await delay(watchMillis);
    last = await showInspection(operator, study, flags, last.text);
  }
}

/** What a party refused for says more than that it refused. */
function hintOf(detail: string): { hint?: string } {
  const last = detail.split(": ").at(-1)!;
  return isReason(last) ? { hint: reasons[last].hint } : {};
}

/** @throws Refusal the study's own reason, when it did not finish. */
async function followToEnd(operator: Operator, study: string): Promise<StudyView> {
  let last: StudyView | undefined;
  for await (const view of operator.follow(study)) {
    last = view;
    tell(viewLine(view));
  }
  if (last === undefined || last.phase === "running" || last.phase === "paused")
    throw new Refusal("unavailable", "the coordinator ended the connection");
  if (last.phase === "failed" && isReason(last.reason))
    throw new Refusal(last.reason, `study ${last.name}: ${last.detail}`, hintOf(last.detail));
  if (last.phase !== "finished")
    throw new Refusal("message_unexpected", `study ${last.name} is ${last.phase}`);
  return last;
}
