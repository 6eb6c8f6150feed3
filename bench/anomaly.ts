import { parseArgs } from "node:util";
import { readProfiles } from "../client-node/operations/warnings/profiles.ts";
import { type Detector, isolationForest, ownRule, threeSigma, type Verdict } from "./anomaly/detectors.ts";
import { machine, single } from "./anomaly/generate.ts";
import type { Recording } from "./anomaly/recording.ts";
import { nabProfiles, nabScore, normalised } from "./anomaly/score.ts";
import { readRecordings } from "./anomaly/sets.ts";
import { type Bench, type BenchOptions, type Figure, noted } from "./bench.ts";

export const options: BenchOptions = {
  "--seeds <n>": "how many of each are generated (10)",
  "--return-blocks <n>": "blocks within which a level is as before (as profiles have it)",
};

/**
 * The general anomaly rule as the node ships it, beside three standard deviations and an isolation forest, on every
 * labelled recording of a folder and on generated ones. One setting for all of them.
 */
export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: "string" },
      seeds: { type: "string", default: "10" },
      "return-blocks": { type: "string" },
      json: { type: "boolean" },
    },
  });
  const own = Number(values["return-blocks"] ?? readProfiles().of("default").anomaly.returnBlocks);
  const detectors: readonly (readonly [string, Detector])[] = [
    ["rule", ownRule(own)],
    ["3 sigma", threeSigma],
    ["isolation forest", isolationForest],
  ];
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => String(i));
  const sets: [string, readonly Recording[]][] = [];
  if (values.data !== undefined) {
    const recordings = readRecordings(values.data);
    if (recordings.length <= 4) for (const one of recordings) sets.push([one.name, [one]]);
    sets.push([`all ${recordings.length} recordings`, recordings]);
  }
  const channels = seeds.map(single);
  const machines = seeds.map(machine);
  sets.push(["generated channels", channels.flatMap((one) => one.faulty)]);
  sets.push(["generated healthy channels", channels.flatMap((one) => one.healthy)]);
  sets.push(["generated machines", machines.map((one) => one.faulty)]);
  sets.push(["generated healthy machines", machines.map((one) => one.healthy)]);
  const figures: Figure[] = [];
  for (const [set, recordings] of sets) {
    if (recordings.length === 0) continue;
    for (const [name, detector] of detectors) {
      figures.push(
        ...judge(recordings, detector).map((one) => ({ ...one, name: `${set}, ${name}: ${one.name}` })),
      );
      progress(`${set}, ${name}`);
    }
  }
  return { bench: "anomaly", runs: seeds.length, figures };
};

const shown = (name: string, value: number, unit = "1"): Figure =>
  noted(name, Number.isFinite(value) ? Number(value.toPrecision(4)) : "none", unit);

const inside = (recording: Recording, row: number): boolean =>
  recording.windows.some(([from, until]) => row >= from && row <= until);

function judge(recordings: readonly Recording[], detector: Detector): Figure[] {
  const verdicts = recordings.map((one) => [one, detector(one)] as const);
  const counts = { told: 0, right: 0, windows: 0, found: 0, hours: 0, quietHours: 0, normalHours: 0 };
  const rows = { right: 0, told: 0, labelled: 0 };
  const leads: number[] = [];
  for (const [recording, verdict] of verdicts) {
    const judged = recording.windows.filter(([, until]) => until >= recording.quiet);
    const told = verdict.told.filter((row) => row >= recording.quiet);
    counts.told += told.length;
    counts.right += told.filter((row) => inside(recording, row)).length;
    counts.windows += judged.length;
    for (const [from, until] of judged) {
      const first = told.find((row) => row >= from && row <= until);
      if (first === undefined) continue;
      counts.found++;
      leads.push((recording.times[until]! - recording.times[first]!) / 3.6e9);
    }
    normalTime(recording, verdict, counts);
    for (let row = recording.quiet; row < recording.times.length; row++) {
      const labelled = inside(recording, row);
      if (labelled) rows.labelled++;
      if (verdict.unusual[row]) rows.told++;
      if (labelled && verdict.unusual[row]) rows.right++;
    }
  }
  const falseAlarms = counts.told - counts.right;
  const common = [
    shown("false alarms", falseAlarms),
    shown("false alarms a quarter", (falseAlarms * 24 * 91) / counts.normalHours),
    shown("normal hours that are quiet", counts.quietHours / counts.normalHours),
  ];
  if (counts.windows === 0) return common;
  const precision = counts.found / Math.max(1, counts.found + falseAlarms);
  const recall = counts.found / counts.windows;
  leads.sort((a, b) => a - b);
  return [
    ...nabProfiles.map((profile) =>
      shown(
        `NAB score, ${profile.name}`,
        normalised(
          verdicts.map(([one, { told }]) =>
            nabScore({ rows: one.times.length, probation: one.quiet, windows: one.windows }, told, profile),
          ),
        ),
      ),
    ),
    shown("precision", precision),
    shown(`recall over ${counts.windows} windows`, recall),
    shown("F1", (2 * precision * recall) / Math.max(1e-9, precision + recall)),
    shown("F1 by rows", (2 * rows.right) / Math.max(1, rows.told + rows.labelled)),
    shown("hours before a window's end, median", leads[leads.length >> 1] ?? Number.NaN, "h"),
    ...common,
  ];
}

/** Hours outside of windows, and those of them in which nothing was unusual. */
function normalTime(
  recording: Recording,
  verdict: Verdict,
  counts: { normalHours: number; quietHours: number },
): void {
  for (let row = Math.max(1, recording.quiet); row < recording.times.length; row++) {
    if (inside(recording, row)) continue;
    const hours = Math.max(0, recording.times[row]! - recording.times[row - 1]!) / 3.6e9;
    counts.normalHours += hours;
    if (!verdict.unusual[row]) counts.quietHours += hours;
  }
}
