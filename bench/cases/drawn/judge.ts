import { FeatureWatch } from "../../../client-node/operations/warnings/feature-watch.ts";
import { readProfiles } from "../../../client-node/operations/warnings/profiles.ts";
import type { Warning } from "../../../client-node/operations/warnings/warning.ts";
import { at, day, inWorld, type World } from "../world.ts";
import { Draw } from "./draw.ts";
import { type Event, type Kind, quarterDays } from "./enterprises.ts";

/** A quarter's report is published so long after its end. */
const reportDays = 30;
/** What an event leaves behind is no false alarm: weeks that hold some of it end later. */
const echo = 14 * day;

export interface Outcome {
  readonly kind: string;
  /** Undefined in a quiet quarter. */
  readonly warned?: boolean;
  /** From the warning to the day on which the quarter's report is published, days. */
  readonly leadDays?: number;
  /** From the event to the warning, days. */
  readonly delayDays?: number;
  /** Warnings and alarms that nothing was planted for, as `type at place on day`. */
  readonly falseAlarms: readonly string[];
  /** Notices that nothing was planted for. */
  readonly notices: number;
}

/** Plays one enterprise's quarter, its features computed day by day as a node does, and says what was warned of. */
export async function judgeQuarter(kind: Kind, seed: string, planted: boolean): Promise<Outcome> {
  const draw = new Draw(`${kind.id} ${seed} ${planted ? "planted" : "quiet"}`);
  const from = at("2025-01-01") + draw.whole(0, 900) * day;
  const until = from + quarterDays * day;
  const { event, readings, world: options } = kind.draw(draw, from, planted);
  return inWorld(options, async (world) => {
    await world.play([...readings]);
    const told = [...world.told, ...(await byFeatures(world, from, until))];
    const opened = told.filter(({ closed }) => closed === undefined);
    const first =
      event && opened.filter((one) => tells(one, event)).sort((a, b) => a.detected - b.detected)[0];
    const stray = opened.filter((one) => event === undefined || !isOf(one, event));
    const graver = stray.filter(({ severity }) => severity !== "notice");
    return {
      kind: kind.id,
      ...(event === undefined ? {} : { warned: first !== undefined }),
      ...(first === undefined || event === undefined
        ? {}
        : {
            leadDays: (until + reportDays * day - first.detected) / day,
            delayDays: (first.detected - event.onset) / day,
          }),
      falseAlarms: graver.map(
        ({ type, device, site, onset }) =>
          `${type} at ${device ?? site} on ${new Date(onset / 1000).toISOString().slice(0, 10)}`,
      ),
      notices: stray.length - graver.length,
    };
  });
}

/** Each day's end, the windows that had ended by then are judged. */
async function byFeatures(world: World, from: number, until: number): Promise<Warning[]> {
  const { sites, specialDays = [] } = world.options;
  const before = world.told.length;
  const { features, quality } = await world.refresh({ from, until });
  // What the pipeline's own watch says of them all at once, at the end, is not what a running node says.
  world.told.length = before;
  const watch = new FeatureWatch({ profiles: readProfiles(), sites, specialDays });
  const warnings: Warning[] = [];
  for (let now = from + day; now <= until + day; now += day)
    warnings.push(
      ...watch.evaluate(
        features.filter((row) => row.until <= now),
        quality.verifications,
        now,
      ),
    );
  return warnings;
}

const tells = (warning: Warning, { types, where, onset, deadline }: Event): boolean =>
  types.includes(warning.type) &&
  (warning.device ?? warning.site) === where &&
  warning.detected >= onset &&
  warning.detected <= deadline;

/** Whether a warning may come of the event: whatever it says, it says it of that time. */
const isOf = (warning: Warning, { onset, until }: Event): boolean =>
  warning.detected >= onset && warning.onset <= until + echo;
