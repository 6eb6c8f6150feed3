/** What the operator's commands print of studies. */
import type { StudyCheckView, StudyInspectionView, StudyView } from "../operator.ts";

export const viewLine = (view: StudyView): string => {
  const { name, phase, algorithm, round, attempt, consented, reason, detail } = view;
  return [
    `${name}: ${phase}`,
    ...(phase === "running" || phase === "paused"
      ? [`${algorithm}, round ${round}, attempt ${attempt}`]
      : []),
    `${consented.length} consented`,
    ...(reason === "" ? [] : [`${reason}: ${detail}`]),
  ].join("; ");
};

export function inspectionLines(view: StudyInspectionView): string[] {
  const { sums, mostSums, mostSecondsLeft, cohort, leastCohort, lastFault, members } = view;
  return [
    viewLine(view),
    `  sums     ${sums} of at most ${mostSums}${mostSecondsLeft > 0 ? `; at most ${duration(mostSecondsLeft)} left` : ""}`,
    `  cohort   ${cohort} of at least ${leastCohort} organisations consented and are connected`,
    ...(lastFault === undefined
      ? []
      : [
          `  fault    round ${lastFault.round}, attempt ${lastFault.attempt}: ${lastFault.reason}${lastFault.party === "" ? "" : ` (${lastFault.party})`}`,
        ]),
    ...members.map(({ enterprise, connected, consent, expiresMillis, reason, leftOut }) =>
      [
        `  ${enterprise.padEnd(20)} ${connected ? "connected" : "away     "}`,
        consent === "given"
          ? `consented until ${new Date(expiresMillis).toISOString()}`
          : ({ expired: "its consent has expired", withdrawn: "withdrew its consent" }[consent] ??
            "has not consented"),
        ...(leftOut ? ["left out"] : []),
        ...(reason === "" ? [] : [`last fault: ${reason}`]),
      ].join("; "),
    ),
  ];
}

export function checkLines({
  organisations,
  threshold,
  dropOuts,
  costs,
  notes,
  problems,
}: StudyCheckView): string[] {
  const sums = costs.reduce((sum, { mostSums }) => sum + mostSums, 0);
  const known = costs.every(({ bytesUp, mostSums }) => bytesUp > 0 || mostSums === 0);
  const bytes = costs.reduce((sum, { bytesUp, mostSums }) => sum + bytesUp * mostSums, 0);
  const wait = costs.reduce((sum, { seconds, mostSums }) => sum + seconds * mostSums, 0);
  return [
    ...problems.map(({ reason, message, hint }) => `problem  ${message} (${reason}); ${hint}`),
    ...(costs.length === 0
      ? []
      : [
          `members  ${organisations} organisations; each sum takes ${threshold} of a member's neighbourhood and survives ${dropOuts} drop-outs`,
          ...costs.map(
            ({ name, mostSums, bytesUp, seconds }) =>
              `${name.padEnd(20)} at most ${mostSums} sums${bytesUp > 0 ? `, ${megabytes(bytesUp)} up and ${duration(seconds)} each` : ""}`,
          ),
          `in all   at most ${sums} sums, ${known ? "" : "at least "}${megabytes(bytes)} up from each enterprise, ${duration(wait)}`,
          "time     half a second a sum and its ciphertexts as benchmarks have them on a near network; statistics as timed here on made-up rows, for maxRowsPerParty rows",
        ]),
    ...notes.map((note) => `note     ${note}`),
  ];
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

const duration = (seconds: number): string =>
  seconds < 120 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
