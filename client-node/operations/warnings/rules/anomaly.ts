import type { Cell, Judged } from "../anomaly/channel.ts";
import type { MachineJudged } from "../anomaly/machine.ts";
import { type AnomalyChange, AnomalyWatch } from "../anomaly/watch.ts";
import { type Change, none, type RuleType, seconds } from "../rule.ts";

interface Growing {
  count: number;
  sum: number;
  low: number;
  high: number;
}

/**
 * A level that is not this machine's own, alone or together with its others: every gauge is looked at in steps
 * against the past of its own device, and told once a step is over.
 */
export const anomaly: RuleType = {
  metrics: undefined,
  create({ catalogue, device, past, profile, room }) {
    const { quiet, returnBlocks, step: stepSeconds } = profile.anomaly;
    const length = seconds(stepSeconds);
    const watch = new AnomalyWatch({
      quietSteps: Math.ceil(quiet / stepSeconds),
      stepsPerDay: 86_400 / stepSeconds,
      returnBlocks,
    });
    watch.remember(past.of(device.id, length));
    const watched = new Map<string, boolean>();
    let current = 0;
    let growing = new Map<string, Growing>();

    const finish = (): readonly Change[] => {
      const step = current;
      const cells = new Map<string, Cell>();
      for (const [metric, { count, sum, low, high }] of growing)
        cells.set(metric, { step, mean: sum / count, low, high });
      growing = new Map();
      if (cells.size === 0) return none;
      past.keep(device.id, length, step, cells);
      return watch.observe(step, cells).map((one) => changeOf(one, cells, length));
    };
    return {
      observe({ metric, value, time, excluded }) {
        const known = catalogue.metrics.get(metric);
        // Planned work is neither usual nor unusual.
        if (value === undefined || excluded || known?.kind !== "gauge" || known.event) return none;
        let takesPart = watched.get(metric);
        if (takesPart === undefined) {
          takesPart = room(device.id, metric);
          watched.set(metric, takesPart);
        }
        if (!takesPart) return none;
        const step = Math.floor(time / length);
        if (step < current) return none;
        const changes = step > current ? finish() : none;
        current = step;
        const cell = growing.get(metric);
        if (cell === undefined) growing.set(metric, { count: 1, sum: value, low: value, high: value });
        else {
          cell.count++;
          cell.sum += value;
          cell.low = Math.min(cell.low, value);
          cell.high = Math.max(cell.high, value);
        }
        return changes;
      },
    };
  },
};

const ways: Readonly<Record<Judged["kind"] | MachineJudged["kind"], string>> = {
  level: "level",
  trend: "drifted level",
  jump: "sudden change",
  unrest: "unrest",
  stuck: "stillness",
  together: "channels together further out than usual",
  apart: "channels no longer go together as usual",
};

function changeOf(
  { change, channel, judged, relearned, step }: AnomalyChange,
  cells: ReadonlyMap<string, Cell>,
  length: number,
): Change {
  const named = "channel" in judged ? judged.channel : channel!;
  const now = cells.get(named)?.mean;
  const about =
    "usual" in judged
      ? `${named}, ${ways[judged.kind]}: ${now?.toPrecision(4)}, usually ${judged.usual.toPrecision(4)} ± ${judged.spread.toPrecision(2)}`
      : `${ways[judged.kind]}, ${named} most of all`;
  const ended = relearned ? "lasted so long that it is usual from now on" : "as usual again";
  return {
    change,
    type: "anomaly",
    subject: channel ?? "all channels",
    severity: "notice",
    since: step * length,
    explanation: change === "opened" ? about : `${named}: ${ended}`,
    numbers: {
      ofLimit: judged.score,
      ...(now === undefined ? {} : { now }),
      ...("usual" in judged ? { usual: judged.usual, spread: judged.spread } : {}),
    },
  };
}
