import type { Departure } from "../ledger/egress.ts";
import { describeCounts } from "../rows/rows.ts";
import type { Preview, PreviewedColumn } from "./preview.ts";

/** @returns a preview for a person, a line each. */
export function describePreview({
  study,
  name,
  columns,
  counts,
  desensitization,
  dryRun,
}: Preview): string[] {
  const { rowsIn, rowsOut, k, l, t, suppressionRate, policy } = desensitization;
  const { onFailure, outsideRounds, rounds, stopped } = dryRun;
  return [
    `study   ${name} (${study})`,
    `policy  ${policy}`,
    `records ${describeCounts(counts, rowsOut)}`,
    `rows    ${rowsIn} in, ${rowsOut} out: k ${k}, l ${l}, t ${t.toFixed(3)}, ${(100 * suppressionRate).toFixed(2)} % left out`,
    "",
    "columns, before → after",
    ...columns.map(describeColumn),
    "",
    "what would leave this machine; nothing was sent, digests of sealed messages differ each time",
    ...rounds.flatMap(({ algorithm, entries, slots, layout, departures }) => [
      `a round of ${algorithm}: ${entries} numbers (${layout.blocks.map((block) => `${block.name} ${block.length}`).join(", ")}) in ${slots} sealed slots, ${bytesOf(departures)} bytes`,
      ...departures.map(describeDeparture),
    ]),
    ...(stopped === undefined
      ? []
      : [
          `${stopped.algorithm} comes to no result with these rows alone (${stopped.reason}): not shown further`,
        ]),
    `apart from rounds: ${bytesOf(outsideRounds)} bytes`,
    ...outsideRounds.map(describeDeparture),
    "only where a connection breaks, or this node will not go on:",
    ...onFailure.map(describeDeparture),
  ];
}

function describeColumn(column: PreviewedColumn): string {
  const name = `  ${column.name.padEnd(24)}`;
  if (!column.passes) return `${name} cannot pass: ${column.why}`;
  const { level, operator, sample } = column;
  const shown = sample.map(
    ({ before, after }) => `${before || "–"} → ${after === null ? "left out" : after || "–"}`,
  );
  return `${name} ${column.class} ${level} ${operator}: ${shown.join("; ")}`;
}

const bytesOf = (departures: readonly Departure[]): number =>
  departures.reduce((sum, { bytes }) => sum + bytes, 0);

const describeDeparture = ({ destination, kind, bytes, digest }: Departure): string =>
  `  ${destination}  ${kind.padEnd(34)} ${String(bytes).padStart(8)}  ${digest.slice(0, 16)}`;
