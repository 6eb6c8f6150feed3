import type { Collector } from "../../collectors/collector.ts";
import type { Reading } from "../../collectors/reading.ts";

/**
 * Reads from one source for a while. Nothing is stored and nothing acknowledged, so a source that keeps what was not
 * acknowledged delivers it again to the node.
 *
 * @param wanted - ends earlier, with so many readings.
 * @returns how many readings came, and the last error where there was one.
 */
export async function tryCollector(
  collector: Collector,
  signal: AbortSignal,
  wanted: number,
  onReading: (reading: Reading) => void,
): Promise<{ readings: number; lastError?: string }> {
  await collector.start();
  let readings = 0;
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    stopping ??= collector.stop();
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const batch of collector) {
      for (const reading of batch.readings) {
        if (readings === wanted) break;
        readings++;
        onReading(reading);
      }
      if (readings === wanted) break;
    }
  } finally {
    stop();
    await stopping;
  }
  const { lastError } = collector.health();
  return lastError === undefined ? { readings } : { readings, lastError };
}
