import { writeWhole } from "./files.ts";
import { tell } from "./terminal.ts";

/** What a command has to say, and what it was asked for. */
export interface Report {
  /** For people, a line each. */
  readonly lines: readonly string[];
  readonly text: string;
}

/** @param out - the text's file; stdout where absent. @throws Refusal those of writing */
export async function writeReport({ lines, text }: Report, out: string | undefined): Promise<void> {
  for (const line of lines) tell(line);
  if (out === undefined) process.stdout.write(text);
  else {
    await writeWhole(out, text);
    tell(`written to ${out}`);
  }
}
