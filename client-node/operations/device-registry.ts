/** What the enterprise says about its devices and sites: configuration, and bindings made on the floor. */
export interface Device {
  readonly id: string;
  readonly site: string;
  /** Kind of device: part of the segment path, `[a-z0-9_-]+`. */
  readonly class: string;
  /** Name of the collector its readings come through. */
  readonly source: string;
  /** `office` meters are kept out of production's consumption; `shop` devices stand for one shop each. */
  readonly role?: "office" | "shop";
}

export interface Site {
  readonly id: string;
  /** Name of a threshold profile. */
  readonly industry: string;
  /** Hours east of UTC; days and weeks are local. */
  readonly utcOffsetHours: number;
  /** Amounts a day for metrics that add up, levels for others; by metric, or by a name a rule states. */
  readonly norms: Readonly<Record<string, number>>;
}

/** Planned maintenance, holidays of one machine: what happens then is no fault. µs UTC, end exclusive. */
export interface Exclusion {
  readonly device: string;
  readonly from: number;
  readonly until: number;
  readonly reason: string;
}

/** A calibration found the device off by `relativeError` (0.04 = reads 4 % high), since `from` when it was right. */
export interface Calibration {
  readonly device: string;
  readonly metric: string;
  readonly from: number;
  readonly until: number;
  readonly relativeError: number;
}

/** What the enterprise declared to others, over a period. */
export interface Declaration {
  readonly site: string;
  readonly measure: "revenue";
  readonly from: number;
  readonly until: number;
  readonly amount: number;
}

export interface Binding {
  readonly device: string;
  readonly site: string;
  /** µs UTC; from then on. */
  readonly from: number;
  /** What made it: `configuration`, or the terminal that read the tag. */
  readonly by: string;
}

/** What made a binding that node.yaml states. */
const configured = "configuration";

/**
 * Devices and where they are. A device belongs to one site at a time; moving an NFC tag to a site's terminal
 * binds the tagged device to that site from then on, and leaves an entry.
 */
export class DeviceRegistry {
  readonly #devices = new Map<string, Device>();
  readonly #tags = new Map<string, string>();
  readonly #bindings = new Map<string, Binding[]>();
  readonly #log: (entry: Binding) => void;
  /** Of devices that are not named now. */
  #gone: readonly Binding[] = [];

  /**
   * @param tags - NFC tag identity → device id.
   * @param log - told of each binding made after the start.
   * @param earlier - bindings that were logged before.
   */
  constructor(
    devices: readonly Device[],
    tags: ReadonlyMap<string, string> = new Map(),
    log: (entry: Binding) => void = () => {},
    earlier: readonly Binding[] = [],
  ) {
    this.#log = log;
    this.#set(devices, tags, earlier);
  }

  /** Goes on with other devices and tags; bindings made on the floor stay, also those of devices that come back. */
  update(devices: readonly Device[], tags: ReadonlyMap<string, string>): void {
    this.#set(devices, tags, [...this.bindings().filter(({ by }) => by !== configured), ...this.#gone]);
  }

  #set(devices: readonly Device[], tags: ReadonlyMap<string, string>, earlier: readonly Binding[]): void {
    for (const known of [this.#tags, this.#devices, this.#bindings]) known.clear();
    for (const [tag, device] of tags) this.#tags.set(tag, device);
    const made = Map.groupBy(earlier, ({ device }) => device);
    for (const device of devices) {
      this.#devices.set(device.id, device);
      this.#bindings.set(device.id, [
        { device: device.id, site: device.site, from: 0, by: configured },
        ...(made.get(device.id) ?? []).toSorted((a, b) => a.from - b.from),
      ]);
    }
    this.#gone = earlier.filter(({ device }) => !this.#devices.has(device));
  }

  device(id: string): Device | undefined {
    return this.#devices.get(id);
  }

  devices(): Device[] {
    return [...this.#devices.values()];
  }

  /** All bindings of all devices, oldest first for each device. */
  bindings(): Binding[] {
    return [...this.#bindings.values()].flat();
  }

  /** @param time - µs UTC. */
  siteOf(device: string, time: number): string | undefined {
    return this.#bindings.get(device)?.findLast((binding) => binding.from <= time)?.site;
  }

  /**
   * A terminal read a tag.
   *
   * @returns the binding made; undefined where the tag is unknown, or the device is there already.
   */
  tagSeen(tag: string, terminal: string, time: number): Binding | undefined {
    const id = this.#tags.get(tag);
    const site = this.siteOf(terminal, time);
    if (id === undefined || site === undefined || this.siteOf(id, time) === site) return undefined;
    const binding: Binding = { device: id, site, from: time, by: terminal };
    const all = this.#bindings.get(id);
    if (all === undefined) return undefined;
    all.push(binding);
    all.sort((a, b) => a.from - b.from);
    this.#log(binding);
    return binding;
  }
}
