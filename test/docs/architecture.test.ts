import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";

const root = join(import.meta.dirname, "../..");
const text = (file: string): Promise<string> => readFile(join(root, file), "utf8");

/** Who may import whom, as a set of `folder -> folder`. */
type Arrows = Set<string>;

const top = ["core", "proto", "privacy", "models", "collectors", "client-node", "coordinator", "auditor"];
const all = [...top, "simulate", "demo", "bench", "test"];
const rooms = ["operations", "rows", "federation", "ledger", "preview", "page"];

interface Override {
  readonly includes: readonly string[];
  readonly linter: {
    readonly rules: {
      readonly style?: {
        readonly noRestrictedImports?: {
          readonly options: { readonly patterns: readonly { readonly group: readonly string[] }[] };
        };
      };
    };
  };
}

const named = (cell: string): string[] => [...cell.matchAll(/`([\w-]+)\/?`/g)].map(([, name]) => name!);

/** @returns what lint allows `folder` to import of `others`; the last rules that apply to it count. */
function allowedByLint(overrides: readonly Override[], folder: string, others: readonly string[]): string[] {
  const patterns = overrides
    .filter(({ includes }) => includes.includes(`${folder}/**`))
    .map(({ linter }) => linter.rules.style?.noRestrictedImports?.options.patterns)
    .findLast((found) => found !== undefined);
  const forbidden = new Set(
    patterns?.flatMap(({ group }) => group.map((pattern) => /([\w-]+)\/\*\*$/.exec(pattern)?.[1])),
  );
  return others.filter((other) => other !== folder && !forbidden.has(other));
}

test("ARCHITECTURE.md says who may import whom as lint enforces it", async (t) => {
  const { overrides } = JSON.parse(await text("biome.json")) as { overrides: readonly Override[] };
  const lines = (await text("ARCHITECTURE.md"))
    .split("\n")
    .filter((line) => /^\| `[\w-]+\/`/.test(line))
    .map((line) => line.split("|").slice(1, -1));

  const said: Arrows = new Set();
  const enforced: Arrows = new Set();
  const seen = new Set<string>();
  for (const [folders, , may, and] of lines) {
    for (const folder of named(folders!)) {
      if (seen.has(folder)) continue;
      seen.add(folder);
      if (top.includes(folder) && and === undefined) {
        for (const other of named(may!)) said.add(`${folder} -> ${other}`);
        for (const other of allowedByLint(overrides, folder, all)) enforced.add(`${folder} -> ${other}`);
      } else if (rooms.includes(folder) && folder !== "page") {
        for (const other of [...named(may!), ...named(and!)]) said.add(`${folder} -> ${other}`);
        const others = [...rooms, ...all.filter((one) => one !== "client-node")];
        for (const other of allowedByLint(overrides, `client-node/${folder}`, others))
          if (other !== folder) enforced.add(`${folder} -> ${other}`);
      }
    }
  }
  t.deepEqual([...said].sort(), [...enforced].sort());
  t.deepEqual(
    [...top, ...rooms].filter((folder) => !seen.has(folder)),
    [],
  );
});

test("files that the documents name are there", async (t) => {
  const missing: string[] = [];
  for (const file of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/README.md"])
    for (const [, path] of (await text(file)).matchAll(
      /`((?:[\w-]+\/)+[\w.-]+\.(?:ts|sql|yaml|json|proto))`/g,
    ))
      if ([...all, "docs"].includes(path!.split("/")[0]!) && !existsSync(join(root, path!)))
        missing.push(`${file}: ${path}`);
  t.deepEqual(missing, []);
});
