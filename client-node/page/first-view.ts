import { type Content, type Html, html } from "../../core/pages/html.ts";
import { note } from "../../core/pages/parts.ts";
import { refusalText } from "../../core/pages/refusal.ts";
import { refusalOf } from "../../proto/wire.ts";
import type { Operations } from "../operations/operations.ts";
import type { Policy } from "../policy.ts";
import { devicesView } from "./devices.ts";
import { listed } from "./format.ts";
import type { View } from "./layout.ts";
import type { Locale } from "./locale.ts";
import type { StudyKnowledge } from "./studies.ts";

/** What is not there yet, and what makes it. */
export interface NextStep {
  readonly missing: string;
  readonly how: Content;
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
export function nextSteps({ dir, operations, member, studies }: Standing, locale: Locale): NextStep[] {
  return [
    ...(operations === undefined || operations.collectors().length === 0
      ? [noCollector(dir, locale)]
      : [...noReading(dir, operations, locale), ...notRegistered(operations, locale)]),
    ...(member === undefined ? [noBank(dir, locale)] : ofMember(dir, member.policy, studies, locale)),
  ];
}

const noCollector = (dir: string, { words }: Locale): NextStep => ({
  missing: words.missing.collector,
  how: words.missing.collectorHow,
  commands: [
    "fedcredit node browse modbus://HOST:502/1",
    "fedcredit node browse opc.tcp://HOST:4840",
    "fedcredit node browse mqtt://HOST:1883",
    `fedcredit node check --dir ${dir}`,
  ],
});

/** A few are named; a plant may have hundreds. */
const mostNamed = 3;

function noReading(dir: string, operations: Operations, { words, number }: Locale): NextStep[] {
  // A source that has delivered before may have nothing new since the node's start.
  const known = operations.findings.delivered();
  const silent = operations
    .collectors()
    .filter(({ name, health }) => health.readings === 0 && !known.has(name));
  const steps: NextStep[] = silent.slice(0, mostNamed).map(({ name, health }) => ({
    missing: words.missing.reading(name),
    how: html`${words.missing.readingHow(words.states[health.state])}${health.lastError !== undefined && html` <span class="note" lang="en">${health.lastError}</span>`}`,
    commands: [`fedcredit node try --dir ${dir} "${name}"`],
  }));
  if (silent.length > mostNamed)
    steps.push({
      missing: words.missing.moreReadings(number(silent.length - mostNamed)),
      how: words.missing.listedBelow,
      commands: [],
    });
  return steps;
}

function notRegistered({ board, registry }: Operations, locale: Locale): NextStep[] {
  const { words, number } = locale;
  const strangers = board.names().filter((name) => registry.device(name) === undefined);
  if (strangers.length === 0) return [];
  const named = listed(locale, strangers.slice(0, mostNamed));
  return [
    {
      missing: words.missing.strangers(named, number(Math.max(0, strangers.length - mostNamed))),
      how: words.missing.strangersHow,
      commands: [],
    },
  ];
}

const noBank = (dir: string, { words }: Locale): NextStep => ({
  missing: words.missing.bank,
  how: words.missing.bankHow,
  commands: [
    `fedcredit node init --dir ${dir} --enterprise ID --consortium ID --coordinator HOST:PORT --enrolment HOST:PORT`,
    `fedcredit node enrol --dir ${dir} --token TOKEN`,
    `fedcredit node start --dir ${dir}`,
  ],
});

function ofMember(
  dir: string,
  read: () => Policy,
  known: StudyKnowledge | undefined,
  { language, words }: Locale,
): NextStep[] {
  let policy: Policy;
  try {
    policy = read();
  } catch (error) {
    const how = html`${words.missing.policyHow} ${refusalText(refusalOf(error), language)}`;
    return [{ missing: words.missing.policy, how, commands: [] }];
  }
  if (policy.allow.algorithms.length === 0 || policy.allow.purposes.length === 0)
    return [
      {
        missing: words.missing.allows,
        how: words.missing.allowsHow,
        commands: [`fedcredit node studies --dir ${dir}`],
      },
    ];
  if (known === undefined) return [];
  if (known.unreachable !== undefined) {
    const how = html`${words.missing.reachedHow} ${refusalText(known.unreachable, language)}`;
    return [{ missing: words.missing.reached, how, commands: [] }];
  }
  return known.studies
    .filter(({ study, phase }) => !known.consents.has(study) && phase === "proposed")
    .slice(0, mostNamed)
    .map(({ name }) => ({
      missing: words.missing.consent(name),
      how: words.missing.consentHow,
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
  locale: Locale,
): View {
  const { words } = locale;
  if (operations === undefined)
    return {
      title: words.devices,
      body: html`${standing}${stepList(steps, locale)}
${note(words.noCollectors)}`,
    };
  const { body, ...rest } = devicesView(operations, page, now, locale);
  return { ...rest, body: html`${standing}${stepList(steps, locale)}${body}` };
}

const stepList = (steps: readonly NextStep[], { language, words }: Locale): Content =>
  steps.length > 0 &&
  html`<section class="card" id="missing"><h2>${words.whatIsMissing}</h2>
<ol>
${steps.map(
  ({
    missing,
    how,
    commands,
  }): Html => html`<li><strong>${missing}${language === "zh" ? "。" : "."}</strong> ${how}
${commands.map((command) => html`<pre>${command}</pre>`)}</li>
`,
)}</ol></section>`;
