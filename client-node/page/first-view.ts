import { type Content, type Html, html } from "../../core/pages/html.ts";
import { note } from "../../core/pages/parts.ts";
import { refusalOf } from "../../proto/wire.ts";
import type { Operations } from "../operations/operations.ts";
import type { Policy } from "../policy.ts";
import { devicesView } from "./devices.ts";
import type { View } from "./layout.ts";
import type { StudyKnowledge } from "./studies.ts";

/** What is not there yet, and what makes it. */
export interface NextStep {
  readonly missing: string;
  readonly how: string;
  /** To be typed as it stands, but for what is in capitals. */
  readonly commands: readonly string[];
}

export interface Standing {
  /** The node's folder, as commands name it. */
  readonly dir: string;
  readonly operations: Operations | undefined;
  readonly member: { readonly policy: () => Policy } | undefined;
  readonly studies: StudyKnowledge | undefined;
}

/** @returns what a newcomer lacks, what comes first first; nothing once all of it is there. */
export function nextSteps({ dir, operations, member, studies }: Standing): NextStep[] {
  return [
    ...(operations === undefined || operations.collectors().length === 0
      ? [noCollector(dir)]
      : [...noReading(dir, operations), ...notRegistered(operations)]),
    ...(member === undefined ? [noBank(dir)] : ofMember(dir, member.policy, studies)),
  ];
}

const noCollector = (dir: string): NextStep => ({
  missing: "No collector",
  how: "See what a device has, and name it under collectors in node.yaml; a running node takes the change by itself.",
  commands: [
    "fedcredit node browse modbus://HOST:502/1",
    "fedcredit node browse opc.tcp://HOST:4840",
    "fedcredit node browse mqtt://HOST:1883",
    `fedcredit node check --dir ${dir}`,
  ],
});

/** A few are named; a plant may have hundreds. */
const mostNamed = 3;

function noReading(dir: string, operations: Operations): NextStep[] {
  const silent = operations.collectors().filter(({ health }) => health.readings === 0);
  const steps = silent.slice(0, mostNamed).map(({ name, health }) => ({
    missing: `No reading yet from ${name}`,
    how: `It is ${health.state}${health.lastError === undefined ? "" : `: ${health.lastError}`}. Look whether the address is right and the device on, and try it alone.`,
    commands: [`fedcredit node try --dir ${dir} "${name}"`],
  }));
  if (silent.length > mostNamed)
    steps.push({
      missing: `No reading yet from ${silent.length - mostNamed} more collectors`,
      how: "They are listed below.",
      commands: [],
    });
  return steps;
}

function notRegistered({ board, registry }: Operations): NextStep[] {
  const strangers = board.names().filter((name) => registry.device(name) === undefined);
  if (strangers.length === 0) return [];
  const named = strangers.slice(0, mostNamed).join(", ");
  return [
    {
      missing: `Heard and not registered: ${named}${strangers.length > mostNamed ? ` and ${strangers.length - mostNamed} more` : ""}`,
      how: "Their readings are stored. Once they stand under devices in node.yaml, they are watched and become features.",
      commands: [],
    },
  ];
}

const noBank = (dir: string): NextStep => ({
  missing: "No bank",
  how: "None is needed to collect. To take part in a consortium, ask its bank for four things and make this node a member; what was collected stays.",
  commands: [
    `fedcredit node init --dir ${dir} --enterprise ID --consortium ID --coordinator HOST:PORT --enrolment HOST:PORT`,
    `fedcredit node enrol --dir ${dir} --token TOKEN`,
    `fedcredit node start --dir ${dir}`,
  ],
});

function ofMember(dir: string, read: () => Policy, known: StudyKnowledge | undefined): NextStep[] {
  let policy: Policy;
  try {
    policy = read();
  } catch (error) {
    return [
      {
        missing: "No policy that can be read",
        how: `No study runs before policy.yaml is in order: ${refusalOf(error).message}.`,
        commands: [],
      },
    ];
  }
  if (policy.allow.algorithms.length === 0 || policy.allow.purposes.length === 0)
    return [
      {
        missing: "The policy allows nothing yet",
        how: "Write into policy.yaml which algorithms and purposes you allow, and what may be read.",
        commands: [`fedcredit node studies --dir ${dir}`],
      },
    ];
  if (known === undefined) return [];
  if (known.unreachable !== undefined)
    return [
      {
        missing: "The bank is not reached",
        how: `${known.unreachable}. The node tries again by itself; collecting needs no bank.`,
        commands: [],
      },
    ];
  return known.studies
    .filter(({ study, phase }) => !known.consents.has(study) && phase === "proposed")
    .slice(0, mostNamed)
    .map(({ name }) => ({
      missing: `No consent to ${name}`,
      how: "See what it would send, then decide.",
      commands: [
        `fedcredit node preview --dir ${dir} ${name}`,
        `fedcredit node consent --dir ${dir} ${name}`,
      ],
    }));
}

/** How things stand, what is missing, and the devices as they are now. @param now - µs UTC. */
export function firstView(
  steps: readonly NextStep[],
  standing: Html,
  operations: Operations | undefined,
  page: number,
  now: number,
): View {
  if (operations === undefined)
    return {
      title: "Devices",
      body: html`${standing}${stepList(steps)}
${note("No collectors are configured: name them under collectors in node.yaml.")}`,
    };
  const { body, ...rest } = devicesView(operations, page, now);
  return { ...rest, body: html`${standing}${stepList(steps)}${body}` };
}

const stepList = (steps: readonly NextStep[]): Content =>
  steps.length > 0 &&
  html`<section class="card" id="missing"><h2>What is missing</h2>
<ol>
${steps.map(
  ({ missing, how, commands }): Html => html`<li><strong>${missing}.</strong> ${how}
${commands.map((command) => html`<pre>${command}</pre>`)}</li>
`,
)}</ol></section>`;
