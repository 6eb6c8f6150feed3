/** The coordinator's commands as a process of their own, for tests that kill it. */
import { coordinatorCommand } from "../../coordinator/cli.ts";
import { Refusal } from "../../core/reasons.ts";

try {
  await coordinatorCommand().parseAsync(process.argv.slice(2), { from: "user" });
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${error.reason}: ${error.message}\n`);
  process.exitCode = 1;
}
