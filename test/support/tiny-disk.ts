import { rmdirSync } from "node:fs";
import type { ExecutionContext } from "ava";
import { mountSmallDisk, smallDiskNeeds } from "../../bench/cases/small-disk.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { leftOut } from "./left-out.ts";

/** @returns a folder on a disk of that size, gone after the test; undefined where none can be made. */
export async function tinyDisk(t: ExecutionContext, kibibytes: number): Promise<string | undefined> {
  const dir = await temporaryDirectory();
  const unmount = mountSmallDisk(dir, kibibytes / 1024);
  t.teardown(() => rmdirSync(dir));
  if (unmount === undefined) leftOut(`${smallDiskNeeds}: ${t.title}`);
  else t.teardown(unmount);
  return unmount === undefined ? undefined : dir;
}
