import { type Cell, ChannelAnomaly, type Judged } from "./channel.ts";
import { MachineAnomaly, type MachineJudged } from "./machine.ts";
import type { AnomalySettings } from "./settings.ts";

/** Something began, or stopped, to be unlike itself. */
export interface AnomalyChange {
  readonly change: "opened" | "closed";
  /** A channel, or undefined for the channels together. */
  readonly channel: string | undefined;
  /** Step in which it began, or ended. */
  readonly step: number;
  /** What was unusual when it opened. */
  readonly judged: Judged | MachineJudged;
  /** It lasted for a whole quiet period, and is what is usual from now on. */
  readonly relearned: boolean;
}

/** Below this share of the limit it is usual again. */
const calm = 0.8;
/** Beyond this share of the limit one step is enough; below, the next one has to agree. */
const clear = 1.5;

/** Opens where a limit is passed; closes where it has been calm for a sixteenth of the quiet period. */
class Watched<J extends Judged | MachineJudged> {
  #open: { readonly since: number; readonly judged: J } | undefined;
  #calmSince: number | undefined;
  #before = 0;

  forget(): void {
    this.#open = undefined;
  }

  get unusual(): boolean {
    return this.#open !== undefined && this.#calmSince === undefined;
  }

  observe(
    step: number,
    judged: J | undefined,
    quietSteps: number,
    rule: { settle(): void; relearn(): void },
  ): Omit<AnomalyChange, "channel"> | undefined {
    if (judged === undefined) return undefined;
    if (this.#open === undefined) {
      const before = this.#before;
      this.#before = judged.score;
      if (judged.score <= 1 || (judged.score <= clear && before <= 1)) return undefined;
      this.#open = { since: step, judged };
      this.#calmSince = undefined;
      return { change: "opened", step, judged, relearned: false };
    }
    const { judged: first, since } = this.#open;
    this.#calmSince = judged.lately < calm ? (this.#calmSince ?? step) : undefined;
    const ended = this.#calmSince !== undefined && step - this.#calmSince >= quietSteps / 16;
    const relearned = !ended && step - since >= quietSteps;
    if (!ended && !relearned) return undefined;
    if (relearned) rule.relearn();
    else rule.settle();
    this.#open = undefined;
    return { change: "closed", step: this.#calmSince ?? step, judged: first, relearned };
  }
}

/** A device's channels, each alone and all together, against their own past. */
export class AnomalyWatch {
  readonly #settings: AnomalySettings;
  readonly #channels = new Map<string, { rule: ChannelAnomaly; watched: Watched<Judged> }>();
  readonly #machine: MachineAnomaly;
  readonly #together = new Watched<MachineJudged>();

  constructor(settings: AnomalySettings) {
    this.#settings = settings;
    this.#machine = new MachineAnomaly(settings);
  }

  /** Whether anything is unusual now, not merely not yet closed. */
  get unusual(): boolean {
    return this.#together.unusual || [...this.#channels.values()].some(({ watched }) => watched.unusual);
  }

  /** Learns from what was kept; what was unusual in it is not told. */
  remember(steps: ReadonlyMap<number, ReadonlyMap<string, Cell>>): void {
    for (const [step, cells] of steps) this.observe(step, cells);
    this.#together.forget();
    for (const { watched } of this.#channels.values()) watched.forget();
  }

  /** @param cells - of one step, by channel; steps ascend. */
  observe(step: number, cells: ReadonlyMap<string, Cell>): AnomalyChange[] {
    const changes: AnomalyChange[] = [];
    const { quietSteps } = this.#settings;
    for (const [channel, cell] of cells) {
      let known = this.#channels.get(channel);
      if (known === undefined) {
        known = { rule: new ChannelAnomaly(this.#settings), watched: new Watched() };
        this.#channels.set(channel, known);
      }
      const { rule, watched } = known;
      const found = watched.observe(step, rule.observe(cell), quietSteps, rule);
      if (found !== undefined) changes.push({ ...found, channel });
    }
    const row = new Map([...cells].map(([channel, { mean }]) => [channel, mean]));
    const judged = this.#machine.observe(step, row);
    const found = this.#together.observe(step, judged, quietSteps, this.#machine);
    if (found !== undefined) changes.push({ ...found, channel: undefined });
    return changes;
  }
}
