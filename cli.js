#!/usr/bin/env node
// Plain JavaScript, so that an older Node still reads it and hands over to the one the project installs.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  // Half of a short command's time is compiling. What is kept lies where the program does: whoever may write there
  // may change the program, and where nobody may, nothing is kept.
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
    new URL("./node_modules/.cache/compiled", import.meta.url),
  );
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  await import("./cli.ts");
} else {
  const bundled = fileURLToPath(new URL("./node_modules/node/bin/node", import.meta.url));
  if (!existsSync(bundled)) {
    process.stderr.write(
      `fedcredit: error: Node ${process.versions.node} is too old\nhint: run npm ci, or use Node 24.12 or newer\n`,
    );
    process.exit(2);
  }
  const child = spawn(bundled, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
