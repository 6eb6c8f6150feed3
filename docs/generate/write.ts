/** `npm run docs`: writes the pages that are made from the source. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pages } from "./pages.ts";

for (const [file, text] of pages()) await writeFile(join(import.meta.dirname, "..", file), text);
