import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import test from "ava";
import { within } from "../../bench/cases/within.ts";
import { encode } from "../../collectors/modbus/registers.ts";
import { startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { startOpcuaServer } from "../../collectors/simulators/opcua-server.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { freePort } from "../support/collecting.ts";
import { collect, parseGuide } from "../support/guides.ts";

test("the plant engineer's guide, run as it stands, leads from nothing to readings of both devices", async (t) => {
  t.timeout(180_000);
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const memory = Buffer.concat([
    encode(12.5, { type: "f32", order: "ABCD" }),
    encode(412, { type: "u16", order: "ABCD" }),
    Buffer.alloc(194),
  ]);
  const press = await startModbusServer(
    new Map([[1, (_, address, count) => memory.subarray(2 * address, 2 * (address + count))]]),
  );
  t.teardown(() => press.close());
  const lathe = await startOpcuaServer({
    pki: join(folder, "server"),
    variables: ["SpindleLoad"],
    now: Date.now,
  });
  t.teardown(() => lathe.close());
  lathe.set("SpindleLoad", 61.5);

  const page = await freePort();
  const adapt = (text: string): string =>
    text
      .replace(/(:|port: )502\b/g, `$1${press.port}`)
      .replaceAll("4840", String(lathe.port))
      .replaceAll("8090", String(page));
  const bin = join(folder, "bin");
  await mkdir(bin);
  await symlink(join(import.meta.dirname, "../../cli.js"), join(bin, "fedcredit"));
  const env = {
    ...process.env,
    PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
    NODE_COMPILE_CACHE: join(folder, "compile-cache"),
  };
  const text = await readFile(join(import.meta.dirname, "../../docs/first-readings.md"), "utf8");
  const printed: string[] = [];
  let commands = 0;
  const begun = performance.now();
  for (const one of parseGuide("first-readings", text)) {
    // Packages are installed already.
    if (one.step === 0) continue;
    const where = `docs/first-readings.md, line ${one.line}`;
    if (one.kind === "file") await writeFile(join(folder, one.path), adapt(one.text));
    else if (one.kind === "run") {
      commands += one.script.trim().split("\n").length;
      const child = spawn("sh", ["-ex", "-c", adapt(one.script)], { cwd: folder, env });
      const output = collect(child);
      const [code] = await once(child, "close");
      t.is(code, 0, `${where}: ${output.err}`);
      printed.push(output.out);
    } else if (one.kind === "service") {
      commands++;
      const child = spawn("sh", ["-c", `exec ${adapt(one.script)}`], { cwd: folder, env });
      const closed = once(child, "close");
      t.teardown(() => child.kill("SIGKILL"));
      const output = collect(child);
      const said = Promise.all([output.says(one.says), output.says("active_power  12.5 kW")]);
      await within(() => `${where}: ${output.err}`, Promise.race([said, closed]), 60);
      const seconds = (performance.now() - begun) / 1000;
      const view = await (await fetch(`http://127.0.0.1:${page}/`)).text();
      t.regex(view, /press-1/);
      t.regex(view, /What is missing/);
      t.regex(view, /No bank/);
      t.notRegex(view, /No collector|No reading yet/);
      child.kill("SIGTERM");
      t.is((await closed)[0], 0, output.err);
      t.log(`after npm ci: first readings of both by ${commands} commands in ${seconds.toFixed(0)} s`);
    } else t.fail(where);
  }
  const [, registers, variables, ...tried] = printed;
  t.regex(registers!, /^40001\t4148\t/m, "12.5 as the wire has it");
  t.regex(registers!, /\t12\.5\t/);
  t.regex(registers!, /^40003\t019c\t412\t/m);
  t.regex(variables!, /SpindleLoad\tDouble/);
  t.regex(tried.join(""), /press-1 {2}machine_temperature {2}41\.2/);
  t.regex(tried.join(""), /lathe-1 {2}spindle_load {2}61\.5 %/);
});
