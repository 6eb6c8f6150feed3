/** A disk of its own for a folder, small enough to be filled: takes root and Linux. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a run without it lacks something. */
export const smallDiskNeeds = "root and mount";

/** @param dir - made where it is missing. @returns what unmounts it; undefined where nothing can be mounted. */
export function mountSmallDisk(dir: string, mebibytes: number): (() => void) | undefined {
  mkdirSync(dir, { recursive: true });
  const options = `size=${Math.round(mebibytes * 1024)}k,mode=755`;
  if (spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir]).status !== 0) return undefined;
  chmodSync(dir, 0o755);
  return () => void spawnSync("umount", ["--lazy", dir]);
}

/** Takes all the room there is. @returns what gives it back. */
export function fillDisk(dir: string): () => void {
  const ballast = join(dir, "ballast");
  const block = Buffer.alloc(1024 * 1024);
  // Ever smaller pieces, until not a byte fits.
  for (let size = block.length; size >= 1; size >>= 4)
    try {
      for (;;) writeFileSync(ballast, block.subarray(0, size), { flag: "a" });
    } catch {}
  return () => rmSync(ballast, { force: true });
}
