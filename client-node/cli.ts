import { Command } from "commander";
import { addBackups } from "./cli/backups.ts";
import { addBrowse } from "./cli/browse.ts";
import { addCollect } from "./cli/collect.ts";
import { addDevices } from "./cli/devices.ts";
import { addEnrolment } from "./cli/enrolment.ts";
import { addForecast } from "./cli/forecast.ts";
import { addPreview } from "./cli/preview.ts";
import { addRunning } from "./cli/running.ts";
import { addScore } from "./cli/score.ts";
import { addStatement } from "./cli/statement.ts";
import { addStudies } from "./cli/studies.ts";
import { addWarnings } from "./cli/warnings.ts";

/** `fedcredit node …`: the enterprise's process and its commands. */
export function nodeCommand(): Command {
  const node = new Command("node").description("the enterprise's process and its commands");
  addEnrolment(node);
  addStudies(node);
  addScore(node);
  addStatement(node);
  addPreview(node);
  addForecast(node);
  addRunning(node);
  addWarnings(node);
  addBackups(node);
  addDevices(node);
  addBrowse(node);
  addCollect(node);
  return node.addHelpText(
    "after",
    `
Example:
  fedcredit node init --dir mill --enterprise mill --consortium riverbank \\
    --coordinator bank.example:8443 --enrolment bank.example:8444 --rows loans.csv
  fedcredit node enrol --dir mill --token TOKEN
  fedcredit node studies --dir mill
  fedcredit node preview --dir mill sme-default-90
  fedcredit node consent --dir mill sme-default-90
  fedcredit node start --dir mill

Example, without a bank:
  fedcredit node init --dir plant --collect-only
  fedcredit node browse opc.tcp://127.0.0.1:4840
  fedcredit node collect --dir plant`,
  );
}
