import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Refusal } from "./reasons.ts";

/** Asks for one line without showing it; takes the first line where no terminal is there. @throws Refusal usage */
export async function askPassword(prompt: string): Promise<string> {
  const terminal = process.stdin.isTTY === true;
  if (terminal) process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
    if (terminal) process.stderr.write("\n");
  }
  throw new Refusal("usage", "no password was given", { hint: "type it, or pipe it in" });
}
