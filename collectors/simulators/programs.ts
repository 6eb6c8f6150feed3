/** Programs outside npm are found from PATH alone, so whoever sets PATH decides which there are. */
import { existsSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";

/** The folders of PATH, each once: on a merged /usr, /bin is /usr/bin. */
const pathFolders = (): string[] => [
  ...new Set(
    (process.env.PATH ?? "")
      .split(delimiter)
      .filter(existsSync)
      .map((folder) => realpathSync(folder)),
  ),
];

/** @returns where the programs of PATH were installed: /usr where /usr/bin is in PATH. */
export const programPrefixes = (): string[] =>
  pathFolders()
    .filter((folder) => basename(folder) === "bin")
    .map(dirname);

/** @returns the path of the first of these programs that is installed; Debian keeps servers in sbin. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...pathFolders(), ...programPrefixes().map((prefix) => join(prefix, "sbin"))];
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}
