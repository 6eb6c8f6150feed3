import { resolve } from "node:path";
import type { Command } from "commander";
import { writeInto, writeWhole } from "../../core/files.ts";
import { findStudy, shortDigest } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import { print, tell } from "../../core/terminal.ts";
import { exportedFiles, formatsText } from "../../models/exported.ts";
import {
  consentTo,
  costText,
  fetchModel,
  listStudies,
  type StudyView,
  studyCost,
  withdrawFrom,
} from "../federation/studies.ts";
import { atDesk, type Common, commandOf } from "./node-folder.ts";

/** What an enterprise decides about studies, and what it gets of them. */
export function addStudies(node: Command): void {
  commandOf(node, "studies", "what the bank proposes and runs", "studies --dir mill")
    .option("--json", "print one JSON array")
    .action(studies);
  commandOf(
    node,
    "consent",
    "agree to a study's manifest, as a whole, for as long as policy.yaml says",
    "consent --dir mill sme-default-90",
  )
    .argument("<study>", "name, or the beginning of its digest")
    .option("--json", "print one JSON object")
    .action(consent);
  commandOf(
    node,
    "withdraw",
    "take a consent back; the node stops taking part at once",
    "withdraw --dir mill sme-default-90",
  )
    .argument("<study>", "name, or the beginning of its digest")
    .action(withdraw);
  commandOf(
    node,
    "model",
    "download a finished study's model and check its digest",
    "model --dir mill sme-default-90 --out model.json",
  )
    .argument("<study>", "name, or the beginning of its digest")
    .requiredOption("--out <file>", "where to write the model's JSON; with --format a directory")
    .option("--format <name>", `${formatsText}; JSON by default`)
    .option("--result <name>", "which of the study's models; the only one that has the format by default")
    .option("--json", "print one JSON object")
    .action(model);
}

async function studies({ dir, json }: Common): Promise<void> {
  const views = await atDesk(dir, listStudies);
  if (json) print(JSON.stringify(views));
  else for (const view of views) print(`${shortDigest(view.study)}  ${view.name}  ${whereItStands(view)}`);
}

function whereItStands(view: StudyView): string {
  const { phase, algorithm, round, reason, consentExpires, refusedBecause } = view;
  const where = phase === "running" ? `running ${algorithm}, round ${round}` : phase;
  const consented =
    consentExpires === undefined ? "no consent" : `consent until ${new Date(consentExpires).toISOString()}`;
  const refused = refusedBecause === undefined ? "" : `policy.yaml refuses it: ${refusedBecause}`;
  return [where, reason, consented, refused].filter((part) => part !== "").join("  ");
}

async function consent(wanted: string, { dir, json }: Common): Promise<void> {
  await atDesk(dir, async (desk) => {
    const view = findStudy(await listStudies(desk), wanted);
    for (const line of summary(view)) tell(line);
    const cost = studyCost(desk, view.study, view.manifest);
    if (cost !== undefined) tell(`cost           ${costText(cost)}`);
    const { expiresMillis } = await consentTo(desk, view.study);
    if (json) print(JSON.stringify({ study: view.study, name: view.name, expiresMillis, cost }));
    else print(`consented to ${view.name} (${view.study}) until ${new Date(expiresMillis).toISOString()}`);
  });
}

/** What a person signs for, a line each. */
function summary({ study, manifest }: StudyView): string[] {
  const { label, privacy, features, algorithms } = manifest;
  return [
    `study          ${manifest.name}`,
    `manifest       ${study}`,
    `purpose        ${manifest.purpose}`,
    `legal basis    ${manifest.legalBasis}; impact assessment ${manifest.impactAssessment}`,
    `retention      ${manifest.retentionDays} days`,
    `label          ${label.column}: bad ${label.bad.join(", ")}; good ${label.good.join(", ")}`,
    `columns        ${features.map(({ name }) => name).join(", ")}`,
    `algorithms     ${algorithms.map(({ name }) => name).join(", ")}`,
    `least cohort   ${privacy.minCohort} organisations; privacy unit: ${privacy.unit}`,
    `runs without   ${manifest.unprotected.join(", ") || "nothing: all layers are on"}`,
  ];
}

async function withdraw(wanted: string, { dir }: Common): Promise<void> {
  await atDesk(dir, async (desk) => {
    const { study, name } = findStudy(await listStudies(desk), wanted);
    await withdrawFrom(desk, study);
    print(`withdrew from ${name} (${study})`);
  });
}

interface ModelFlags extends Common {
  readonly out: string;
  readonly format?: string;
  readonly result?: string;
}

async function model(wanted: string, { dir, out, json, format, result }: ModelFlags): Promise<void> {
  if (result !== undefined && format === undefined)
    throw new Refusal("usage", "--result goes with --format", {
      hint: "without a format the whole model document is written",
    });
  await atDesk(dir, async (desk) => {
    const { study, name } = findStudy(await listStudies(desk), wanted);
    const { digest, text, model: document } = await fetchModel(desk, study);
    if (format !== undefined) {
      const choice = { format, ...(result === undefined ? {} : { result }) };
      const files = await writeInto(out, await exportedFiles(document, choice));
      print(
        json
          ? JSON.stringify({ study, name, digest, files: files.map((file) => resolve(file)) })
          : files.join("\n"),
      );
      return;
    }
    await writeWhole(out, text);
    if (json) print(JSON.stringify({ study, name, digest, file: resolve(out) }));
    else print(`${digest}  ${out}`);
  });
}
