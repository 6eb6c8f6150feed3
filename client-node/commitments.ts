import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Digest } from "../core/canonical.ts";
import { writeWhole } from "../core/files.ts";
import type { Random } from "../core/random.ts";
import { commitmentRoot, type Disclosure, parseDisclosure } from "../privacy/log/commitment.ts";
import type { EgressLedger } from "./ledger/egress.ts";
import { passRates, type QualityReport } from "./operations/quality/quality.ts";
import { countReadings, parquetFiles } from "./operations/segments.ts";

/** Where the disclosures of days lie, in a data directory: `YYYY-MM-DD.json`. */
export const commitmentsFolder = (dataDir: string): string => join(dataDir, "commitments");

export interface CommitOptions {
  readonly enterprise: string;
  readonly dataDir: string;
  readonly ledger: Pick<EgressLedger, "append">;
  readonly random: Random;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Commits to the segments of every day that is over, once, and again where late readings added to a day. The ledger
 * takes the root and counts; its checkpoint, which the bank logs, then stands for them. Nothing is sent.
 *
 * @returns days committed to now.
 */
export async function commitDays(
  { enterprise, dataDir, ledger, random, now }: CommitOptions,
  quality: Pick<QualityReport, "counts">,
): Promise<string[]> {
  const folder = commitmentsFolder(dataDir);
  const segments = join(dataDir, "segments");
  const today = new Date(now()).toISOString().slice(0, 10);
  const byDay = Map.groupBy(existsSync(segments) ? parquetFiles(segments) : [], (path) => path.slice(5, 15));
  const committed: string[] = [];
  for (const [day, paths] of byDay) {
    if (day >= today) continue;
    const file = join(folder, `${day}.json`);
    const known = existsSync(file) ? parseDisclosure(readFileSync(file, "utf8")) : undefined;
    const digests = new Map(known?.segments.map(({ path, digest }) => [path, digest]));
    if (paths.length === digests.size && paths.every((path) => digests.has(path))) continue;
    const disclosure: Disclosure = {
      enterprise,
      day,
      salt: known?.salt ?? Buffer.from(random.bytes(32)).toString("hex"),
      segments: [],
    };
    for (const path of paths.toSorted())
      disclosure.segments.push({
        path,
        digest: digests.get(path) ?? (await fileDigest(join(segments, path))),
      });
    const { delivered, completed } = passRates(quality.counts);
    // The disclosure first: a root that nobody can open would be worth nothing.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await writeWhole(file, [Buffer.from(`${canonicalJson(disclosure)}\n`)]);
    ledger.append([
      {
        type: "data.committed",
        time: now(),
        enterprise,
        day,
        root: commitmentRoot(disclosure),
        segments: paths.length,
        readings: await countReadings(paths.map((path) => join(segments, path))),
        ...(Number.isNaN(delivered) ? {} : { delivered: rounded(delivered), completed: rounded(completed) }),
      },
    ]);
    committed.push(day);
  }
  return committed;
}

const rounded = (share: number): number => Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 10_000;

async function fileDigest(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
