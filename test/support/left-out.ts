import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";

/**
 * Says that a test cannot run here because a program outside npm is missing; the run's last lines repeat it by name.
 * @param name - what was left out, e.g. "postgresql server: store tests".
 */
export function leftOut(name: string): void {
  const report = process.env.FEDCREDIT_LEFT_OUT;
  const file = relative(".", fileURLToPath(test.meta.file));
  if (report) appendFileSync(report, `${JSON.stringify({ name, file })}\n`);
  else console.error(`left out: ${name}`);
}
