import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import test from "ava";
import { leftOut } from "../support/left-out.ts";

const python = spawnSync("python3", ["-c", "import pty"]).status === 0;
const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));

test("RTU on a serial line: a late answer is never taken for the next one", async (t) => {
  if (!python) {
    leftOut("python3: Modbus RTU over a pseudo-terminal");
    return t.pass();
  }
  const unit = spawn("python3", [support("rtu_on_pty.py")]);
  t.teardown(() => unit.kill());
  const [serial] = await once(createInterface(unit.stdout), "line");
  const reader = spawn(process.execPath, ["--no-warnings", support("rtu-reader.ts"), serial], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => reader.kill());
  const { wrong, errors } = JSON.parse(await text(reader.stdout));
  t.is(wrong, 0);
  t.true(errors >= 3, "late answers were met");
});
