import type { z } from "zod";
import type { sitesSchema } from "../../client-node/operations/sites.ts";
import type { CollectorInput } from "../../collectors/config.ts";
import type { WarningType } from "../../core/warning-types.ts";
import type { PastValue } from "../history.ts";

/** Where a plant's devices are reached, by name: ports, and files that a node has to know. */
export type Addresses = Readonly<Record<string, number | string>>;

export interface PlantOptions {
  /** For what a simulated device keeps. */
  readonly folder: string;
  /** The node's watched folder. */
  readonly inbox: string;
  /** A free port that the node will listen on, for devices that dial. */
  readonly listen: number;
  /** Milliseconds since the epoch, when the plant begins to run. */
  readonly now: number;
}

export interface RunningPlant {
  readonly addresses: Addresses;
  close(): Promise<void>;
}

/** What happens at an enterprise, and what its node shall say to it. */
export interface Happening {
  readonly type: WarningType;
  readonly what: string;
}

/** An enterprise's own devices: what stands where, what they showed before, and how they speak now. */
export interface Plant {
  readonly sites: (now: number) => {
    [Key in "sites" | "devices"]-?: NonNullable<z.input<typeof sitesSchema>[Key]>;
  };
  /** Read from the enterprise's files: the time before its devices were connected. */
  readonly past: (now: number) => PastValue[];
  /** How the node reads the devices. @param folder - the node's own. */
  readonly collectors: (addresses: Addresses, folder: string) => CollectorInput[];
  /** Starts the simulated devices, on the loopback interface. */
  readonly start: (options: PlantOptions) => Promise<RunningPlant>;
  readonly happening: Happening;
  /** How far back the node judges: as long as the longest window that its happening shows in. */
  readonly refreshDays: number;
}

/** Calls `work` at once and then each second until it is stopped. @returns what stops it. */
export function eachSecond(work: (second: number) => void): () => void {
  let second = 0;
  work(second);
  const timer = setInterval(() => work(++second), 1000);
  return () => clearInterval(timer);
}

/** Uneven by up to `size`, the same for the same time: sensors are never quite still. */
export const unrest = (time: number, size: number): number =>
  size * Math.sin(time / 7919) * Math.cos(time / 523);

/** @returns moments from `from` (inclusive) to `until` (exclusive), `step` apart. */
export const moments = (from: number, until: number, step: number): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((until - from) / step)) }, (_, i) => from + i * step);
