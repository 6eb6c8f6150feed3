/** A PostgreSQL of the system's, for tests that need another than the embedded one. */
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { type EmbeddedDatabase, startEmbedded } from "../../coordinator/store/embedded.ts";
import { silent, temporaryDirectory } from "../../simulate/consortium.ts";

/** @param bin - where its programs are. @returns a server with a cluster of its own below `dir`. */
export async function startInstalled(bin: string): Promise<{ dir: string; server: EmbeddedDatabase }> {
  const dir = await temporaryDirectory();
  // Up to version 15, a program that looks itself up leaves its working directory and comes back by its path.
  await chmod(dir, 0o711);
  const programs = { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
  return { dir, server: await startEmbedded(join(dir, "cluster"), silent, programs) };
}
