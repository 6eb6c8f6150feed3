import { readFileSync } from "node:fs";

/** @returns a file of test/vectors, parsed. */
export const readVectors = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8"));
