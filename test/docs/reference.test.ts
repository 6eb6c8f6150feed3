import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { z } from "zod";
import { pages } from "../../docs/generate/pages.ts";
import { schemaTables } from "../../docs/generate/schema-page.ts";

const docs = join(import.meta.dirname, "../../docs");

test("the reference is what the schemas say", async (t) => {
  for (const [file, text] of pages())
    t.is(await readFile(join(docs, file), "utf8"), text, `docs/${file} is stale: run npm run docs`);
});

test("a key without a description is refused by name", (t) => {
  const schema = z.strictObject({
    known: z.string().describe("is described"),
    inner: z.array(z.strictObject({ unknown: z.number() })).describe("holds one that is not"),
  });
  t.throws(() => schemaTables(schema, "x.yaml"), { message: "x.yaml: no description: inner[].unknown" });
});

test("a table says of each key what it takes, whether it must be given, and what it means", (t) => {
  const schema = z.strictObject({
    share: z.number().min(0).max(1).describe("of all rows"),
    names: z.array(z.string()).min(1).default(["a|b"]).describe("one | the other"),
    kind: z
      .discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("plain").describe("as it is"), id: z.string().describe("id") }),
        z.strictObject({
          kind: z.literal("cut").describe("shortened"),
          id: z.string().describe("id"),
          to: z.int().positive().optional().describe("characters"),
        }),
      ])
      .describe("how"),
  });
  t.is(
    schemaTables(schema, "x.yaml"),
    `## x.yaml

| key | type | default | meaning |
|---|---|---|---|
| \`share\` | number, 0 to 1 | required | of all rows |
| \`names\` | list of text, at least 1 | \`[a\\|b]\` | one \\| the other |
| \`kind\` | [\`kind\`](#kind) | required | how |

## \`kind\`

| key | type | default | meaning |
|---|---|---|---|
| \`id\` | text | required | id |
| \`kind\` | \`plain\` \\| \`cut\` | required | see below |

| \`kind\` | meaning |
|---|---|
| \`plain\` | as it is |
| \`cut\` | shortened |

## \`kind\` with \`kind: cut\`

| key | type | default | meaning |
|---|---|---|---|
| \`to\` | whole number, above 0 | optional | characters |`,
  );
});

test("every link of the documents leads to a file, and to a heading where it names one", async (t) => {
  const root = join(docs, "..");
  const inDocs = (await readdir(docs, { recursive: true })).filter((file) => file.endsWith(".md"));
  const top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];
  for (const file of [...top, ...inDocs.map((name) => join("docs", name))]) {
    const text = await readFile(join(root, file), "utf8");
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path, anchor] = link!.split("#");
      const target = path === "" ? file : join(dirname(file), path!);
      const found = await readFile(join(root, target), "utf8").catch(() => undefined);
      if (found === undefined) t.fail(`${file}: ${link} leads nowhere`);
      else if (anchor !== undefined) t.true(anchorsOf(found).has(anchor), `${file}: no heading #${anchor}`);
    }
  }
  t.pass();
});

/** As GitHub makes them of headings. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\d_\- ]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
