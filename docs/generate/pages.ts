/** The pages of docs/ that are made from the source: what the program itself goes by. */
import { z } from "zod";
import { alarmsSchema } from "../../auditor/alarms/config.ts";
import { nodeConfigSchema } from "../../client-node/config.ts";
import { policySchema } from "../../client-node/policy.ts";
import { casePolicySchema } from "../../coordinator/cases/policy.ts";
import { configSchema } from "../../coordinator/config.ts";
import { reasons } from "../../core/reasons.ts";
import { algorithmNamed, algorithmNames } from "../../models/registry.ts";
import { manifestSchema } from "../../models/study.ts";
import { allowed, fieldClasses, fieldSchema } from "../../privacy/desensitize/policy.ts";
import { schemaTables } from "./schema-page.ts";

const note = (sources: string): string => `<!-- Made by npm run docs from ${sources}: edit it there. -->`;

const duration = "A duration is written `500ms`, `1s`, `15m` or `1h`.";

/** @returns text by path below docs/. */
export function pages(): ReadonlyMap<string, string> {
  return new Map([
    [
      "reference/alarms.yaml.md",
      page(
        note("auditor/alarms/config.ts"),
        "# alarms.yaml",
        "What the auditor writes for `fedcredit audit watch --alarms`. Paths are relative to the file. An unknown key is refused. A log that forks, members that are expelled, complaints and split cohorts raise an alarm without a threshold. Each is told once, over restarts of the watch, and so is that the log grows, or is followed, again. What a receiver does not take is kept in the auditor's directory and handed over at the next look; a fork ends the watch once its alarm was taken.",
        schemaTables(alarmsSchema, "alarms.yaml"),
      ),
    ],
    [
      "reference/cases.yaml.md",
      page(
        note("coordinator/cases/policy.ts"),
        "# cases.yaml",
        "When a score statement or a warning of an enterprise, or a model that has shifted, becomes a case, and what is suggested about the limit, or the limits that rest on the model; coordinator.yaml names the file under `cases`, and a change holds from the coordinator's next start. An unknown key is refused. Without the file, or where it leaves a key out, the defaults hold. A rule about grades holds where the grade is another than the enterprise's last for the purpose; of a first score, only rules with `to` do. A case of the same enterprise and cause that is open is raised anew, with the newest suggestion.",
        schemaTables(casePolicySchema, "cases.yaml"),
      ),
    ],
    [
      "reference/coordinator.yaml.md",
      page(
        note("coordinator/config.ts"),
        "# coordinator.yaml",
        "What the bank writes; `fedcredit coordinator init` makes it. Paths are relative to the file. An unknown key is refused. The environment variable `DATABASE_URL` (`postgres://…`) wins over `database: embedded`.",
        schemaTables(configSchema, "coordinator.yaml"),
      ),
    ],
    [
      "reference/node.yaml.md",
      page(
        note("client-node/config.ts, client-node/operations/sites.ts and collectors/"),
        "# node.yaml",
        `What the enterprise writes; \`fedcredit node init\` makes it. Paths are relative to the file. An unknown key is refused. ${duration} Secrets are named, by \`{ file: PATH }\` or \`{ env: NAME }\`, and never written. [Examples of collectors](../collectors.md).`,
        schemaTables(nodeConfigSchema, "node.yaml"),
      ),
    ],
    [
      "reference/policy.yaml.md",
      page(
        note("client-node/policy.ts and privacy/desensitize/policy.ts"),
        "# policy.yaml",
        "What the enterprise allows, whatever a study asks for; `fedcredit node init` makes one that allows nothing. Nothing has a default, an unknown key is refused, and a column without a line under `fields` cannot pass. `fedcredit node preview` shows what it makes of the rows.",
        schemaTables(policySchema, "policy.yaml"),
        "## Which operator goes with which class",
        "Whatever its class, a field of level C3 takes `drop` or `aggregate-only` only.",
        operatorTable(),
      ),
    ],
    [
      "reference/study.yaml.md",
      page(
        note("models/study.ts and models/algorithms/"),
        "# study.yaml",
        "What the bank proposes and every enterprise consents to, as a whole, by its digest. `fedcredit coordinator study init` makes one to fill in. An unknown key is refused.",
        schemaTables(manifestSchema, "study.yaml"),
        "# Algorithms and their parameters",
        "Each is written under `algorithms` as `{ name: …, parameter: … }`.",
        ...algorithmNames.map(algorithmTable),
      ),
    ],
    [
      "refusals.md",
      page(
        note("core/reasons.ts"),
        "# What each refusal means",
        "Everything a peer, a file, a device or an operator can cause has a reason from this closed list. A command prints `fedcredit: error: … (reason)` and a line with a hint, which may say more than the one here, and exits with 1; with 2 for `usage`. One that says *again* may go away without anyone changing anything.",
        refusalTable(),
      ),
    ],
  ]);
}

const page = (...parts: readonly string[]): string => `${parts.join("\n\n")}\n`;

function operatorTable(): string {
  const lines = fieldSchema.options
    .map(({ shape }) => shape.operator.value)
    .map(
      (operator) =>
        `| \`${operator}\` | ${fieldClasses.map((one) => (allowed[one](operator) ? "yes" : "–")).join(" | ")} |`,
    );
  return [
    `| operator | ${fieldClasses.join(" | ")} |`,
    `|---${"|---".repeat(fieldClasses.length)}|`,
    ...lines,
  ].join("\n");
}

function algorithmTable(name: string): string {
  const { parameters } = algorithmNamed(name);
  if (parameters instanceof z.ZodObject && Object.keys(parameters.shape).length > 0)
    return schemaTables(parameters, `\`${name}\``);
  return `## \`${name}\`\n\nTakes no parameter but its name.`;
}

function refusalTable(): string {
  const lines = Object.entries(reasons).map(
    ([reason, { hint, retry }]) =>
      `| \`${reason}\` | ${hint.replaceAll("|", "\\|")} | ${retry ? "again" : ""} |`,
  );
  return ["| reason | what to do | |", "|---|---|---|", ...lines].join("\n");
}
