import type { Collector } from "../../collectors/collector.ts";
import type { CollectorEntry } from "../../collectors/config.ts";
import type { Reading } from "../../collectors/reading.ts";

/** Another client at the broker, without a session and a share: the running node keeps its own, and is not spoken for. */
export function forTrying(entry: CollectorEntry): CollectorEntry {
  if (entry.mqtt === undefined) return entry;
  const { share: _, sparkplug, ...mqtt } = entry.mqtt;
  const listening = sparkplug && { ...sparkplug, host: undefined };
  const clientId = `${mqtt.clientId}-try`;
  return { mqtt: { ...mqtt, clientId, sessionExpiry: 0, ...(listening && { sparkplug: listening }) } };
}

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
