import { Command } from "commander";
import { addDevices } from "./cli/devices.ts";
import { addEnrolment } from "./cli/enrolment.ts";
import { addForecast } from "./cli/forecast.ts";
import { addPreview } from "./cli/preview.ts";
import { addRunning } from "./cli/running.ts";
import { addScore } from "./cli/score.ts";
import { addStatement } from "./cli/statement.ts";
import { addStudies } from "./cli/studies.ts";

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
  addDevices(node);
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
  fedcredit node start --dir mill`,
  );
}
