import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cutSegment, recoverSegments } from "../../client-node/operations/segments.ts";
import { Spool } from "../../client-node/operations/spool.ts";
import { secureRandom } from "../../core/random.ts";
import { monday, reading, second } from "./readings.ts";

/**
 * A source that sends readings 0 … total-1 in batches, each again from the last acknowledgement on, and a
 * node that spools and cuts them. Kills itself with SIGKILL at the named step, if it comes to it.
 */
const [folder, killAt, total] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];
const batchSize = 50;
// After a restart a cut takes other batches: a file left behind would then hold readings a second time.
const cutReadings = killAt === "never" ? 250 : 200;
const die = (step: string): void => {
  if (step === killAt) process.kill(process.pid, "SIGKILL");
};
const acknowledged = join(folder, "acknowledged");

const spool = new Spool({
  path: join(folder, "spool.db"),
  maxBytes: 1e9,
  maxAgeSeconds: 1e9,
  random: secureRandom,
  now: () => monday / 1000,
});
const segments = join(folder, "segments");
recoverSegments(spool, segments);
const options = { folder: segments, deviceClass: () => "press", maxReadings: cutReadings };

let next = Number(readFileSync(acknowledged, "utf8"));
for (; next < total; next += batchSize) {
  const batch = Array.from({ length: batchSize }, (_, i) =>
    reading(`press-${(next + i) % 3}`, "run_state", (next + i) % 7, monday + (next + i) * second),
  );
  spool.append(batch);
  die(`appended ${next}`);
  writeFileSync(acknowledged, String(next + batchSize));
  if (next % 200 === 150) await cutSegment(spool, options, die);
}
while (await cutSegment(spool, options, die));
spool.close();
