import { type Command, InvalidArgumentError } from "commander";
import { shortDigest } from "../../core/ids.ts";
import { monthOf } from "../../core/month.ts";
import { print } from "../../core/terminal.ts";
import { lastFinished } from "../../models/scoring/score.ts";
import type { ScoreStatement } from "../../privacy/log/score-statement.ts";
import {
  agreeToScores,
  keepStatement,
  makeStatement,
  type StatementDesk,
  sendStatement,
  withdrawScores,
} from "../federation/statements.ts";
import { listStudies, type StudyView } from "../federation/studies.ts";
import { knownStatements, scoreConsents } from "../ledger/statements.ts";
import { atDesk, type Common, commandOf } from "./node-folder.ts";

interface Flags extends Common {
  readonly result?: string;
  readonly month?: number;
}

const studyArgument = "name, or the beginning of its digest; the last finished one by default";

/** `fedcredit node statement`: what the enterprise says of its own score, and whether it does. */
export function addStatement(node: Command): void {
  const statement = node
    .command("statement")
    .description("say to the bank how this enterprise's own rows score, or keep it; never a feature");
  statement.addHelpText("after", "\nExample:\n  fedcredit node statement make --dir mill");
  commandOf(
    statement,
    "agree",
    "agree that scores by a study's model are said, for as long as policy.yaml says",
    "statement agree --dir mill sme-default-90",
  )
    .argument("[study]", studyArgument)
    .option("--json", "print one JSON object")
    .action(agree);
  commandOf(
    statement,
    "withdraw",
    "take that back; nothing is said from then on",
    "statement withdraw --dir mill sme-default-90",
  )
    .argument("[study]", studyArgument)
    .action(withdraw);
  choosing(
    commandOf(
      statement,
      "make",
      "print what the statement would say; it does not leave",
      "statement make --dir mill",
    ),
  ).action((wanted: string | undefined, flags: Flags) => show(wanted, flags, makeStatement));
  choosing(
    commandOf(statement, "send", "sign the statement and send it to the bank", "statement send --dir mill"),
  ).action((wanted: string | undefined, flags: Flags) => show(wanted, flags, sendStatement));
  commandOf(
    statement,
    "keep",
    "leave the month's statement unsaid, by itself, too",
    "statement keep --dir mill",
  )
    .argument("[study]", studyArgument)
    .option("--month <YYYY-MM>", "the last that is over by default", month)
    .action(keep);
  commandOf(statement, "list", "what was agreed to, sent and kept", "statement list --dir mill")
    .option("--json", "print one JSON object")
    .action(list);
}

const choosing = (command: Command): Command =>
  command
    .argument("[study]", studyArgument)
    .option("--result <name>", "which of the study's models; the one that the bank uses by default")
    .option("--month <YYYY-MM>", "whose rows; the last that is over by default", month)
    .option("--json", "print one JSON object");

function month(text: string): number {
  const found = /^\d{4}-\d{2}$/.test(text) ? monthOf(text) : undefined;
  if (found === undefined) throw new InvalidArgumentError("Write a month as 2026-10");
  return found;
}

const meant = async (desk: StatementDesk, wanted: string | undefined): Promise<StudyView> =>
  lastFinished(await listStudies(desk), wanted);

async function agree(wanted: string | undefined, { dir, json }: Flags): Promise<void> {
  await atDesk(dir, async (desk) => {
    const { study, name } = await meant(desk, wanted);
    const { expiresMillis } = await agreeToScores(desk, study);
    if (json) print(JSON.stringify({ study, name, expiresMillis }));
    else print(`agreed to say scores of ${name} until ${new Date(expiresMillis).toISOString()}`);
  });
}

async function withdraw(wanted: string | undefined, { dir }: Flags): Promise<void> {
  await atDesk(dir, async (desk) => {
    const { study, name } = await meant(desk, wanted);
    await withdrawScores(desk, study);
    print(`scores of ${name} are not said any more`);
  });
}

async function show(
  wanted: string | undefined,
  { dir, json, result, month: of }: Flags,
  work: typeof makeStatement,
): Promise<void> {
  await atDesk(dir, async (desk) => {
    const { study } = await meant(desk, wanted);
    const statement = await work(desk, study, { result, month: of });
    if (json) print(JSON.stringify(statement));
    else for (const line of statementLines(statement)) print(line);
  });
}

const statementLines = (said: ScoreStatement): string[] => [
  `model          ${said.result} of study ${shortDigest(said.study)}, document ${shortDigest(said.model)}`,
  `rows of        ${said.from} until ${said.until}, ${(said.scored * 100).toFixed(0)} % of them scored`,
  `probability    ${said.probability.toFixed(4)} of bad`,
  `grade          ${said.grade}`,
  `reasons        ${said.reasons.join(", ") || "none"}`,
  `data quality   ${said.passed === undefined ? "not known" : `${(said.passed * 100).toFixed(0)} % of cells passed`}`,
];

async function keep(wanted: string | undefined, { dir, month: of }: Flags): Promise<void> {
  await atDesk(dir, async (desk) => {
    const { study, name } = await meant(desk, wanted);
    keepStatement(desk, study, of);
    print(`the statement of ${name} stays here`);
  });
}

async function list({ dir, json }: Flags): Promise<void> {
  await atDesk(dir, async (desk) => {
    const studies = await listStudies(desk);
    const nameOf = (study: string): string =>
      studies.find((one) => one.study === study)?.name ?? shortDigest(study);
    const agreed = scoreConsents(desk.db);
    const statements = knownStatements(desk.db);
    if (json) return print(JSON.stringify({ agreed, statements }));
    for (const { study, expiresMillis, withdrawn } of agreed)
      print(
        `${nameOf(study)}  ${withdrawn ? "withdrawn" : `agreed until ${new Date(expiresMillis).toISOString()}`}`,
      );
    for (const { study, until, what } of statements)
      print(`${nameOf(study)}  month before ${until}  ${what}`);
  });
}
