import { appendFileSync } from "node:fs";

/**
 * Says that a test cannot run here because a program outside npm is missing; the run's last lines repeat it by name.
 * @param name - what was left out, e.g. "postgresql server: store tests".
 */
export function leftOut(name: string): void {
  const file = process.env.FEDCREDIT_LEFT_OUT;
  if (file) appendFileSync(file, `${name}\n`);
  else console.error(`left out: ${name}`);
}
