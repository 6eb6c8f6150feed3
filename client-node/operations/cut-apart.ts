import type { Apart } from "./apart.ts";
import type { CutReport, DeviceClasses, WriteSegment } from "./segments.ts";
import type { CutIntent } from "./spool.ts";

export interface CutJob {
  /** The spool's file. */
  readonly spool: string;
  readonly folder: string;
  readonly intent: CutIntent;
  readonly classes: DeviceClasses;
}

/**
 * Writes segments in a process of its own, which reads the spool's file beside us: reading a million readings back
 * would keep the sockets waiting.
 *
 * @param spool - its file.
 */
export const writeApart =
  (spool: string, apart: Apart): WriteSegment =>
  (_, intent, { folder, classes }) =>
    apart.do<CutReport>(new URL("cut-worker.ts", import.meta.url), {
      ...{ spool, folder, intent, classes },
    } satisfies CutJob);
