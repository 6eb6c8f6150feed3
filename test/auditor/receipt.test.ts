import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { certifyAuditor } from "../../coordinator/authority/keys.ts";
import { toBase64 } from "../../core/bytes.ts";
import { secureRandom } from "../../core/random.ts";
import { leafHash } from "../../privacy/log/merkle.ts";
import { parseNote } from "../../privacy/log/note.ts";
import { parseCheckpoint } from "../../privacy/log/tree-head.ts";
import { LocalBank, temporaryDirectory } from "../../simulate/consortium.ts";
import { policyText, sampleLog } from "../support/log.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));

const audit = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, ["--no-warnings", cli, "audit", ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

test("receipt: the auditor fetches one entry's proof, anyone checks it offline", async (t) => {
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, "auditor.key"), `${bank.auditorSigner}\n`);
  const request = (await audit("request", "--dir", dir)).stdout.trim();
  const certificate = await certifyAuditor(
    bank.config,
    await readFile(request, "utf8"),
    Date.now(),
    secureRandom,
  );
  await writeFile(join(dir, "auditor.pem"), certificate);
  const policy = join(dir, "log.policy");
  const key = ["--bank-key", bank.bankKey];
  t.is((await audit("policy", "--dir", dir, "--quorum", "1", "--out", policy, ...key)).code, 0);

  const receipt = join(dir, "entry-0.tlog-proof");
  const remote = ["--dir", dir, "--coordinator", bank.coordinator.address];
  const made = await audit("receipt", ...remote, "--index", "0", "--out", receipt);
  t.is(made.code, 0, made.stderr);
  const beyond = await audit("receipt", ...remote, "--index", "7", "--out", join(dir, "none"));
  t.regex(beyond.stderr, /no entry 7 in a log of 2 \(not_found\)\nhint: /);

  const checked = await audit("check-receipt", receipt, "--policy", policy, "--json");
  t.is(checked.code, 0, checked.stderr);
  const shown = JSON.parse(checked.stdout);
  t.like(shown, { index: 0, size: 2, log: "riverbank/bank" });
  t.is(shown.entry.type, "consortium.created");
  t.deepEqual(
    shown.cosigned.map(({ witness }: { witness: string }) => witness),
    ["auditor", "auditor (ML-DSA-44)"],
  );
  const text = (await audit("check-receipt", receipt, "--policy", policy)).stdout;
  t.regex(
    text,
    /^entry 0 of 2 in the log of riverbank\/bank\ncosigned by auditor at 20.*\ncosigned by auditor \(ML-DSA-44\) at 20.*\n\{.*\}\n$/,
  );

  const forged = join(dir, "forged.tlog-proof");
  const entry = Buffer.from(JSON.stringify({ ...shown.entry, consortium: "elsewhere" })).toString("base64");
  await writeFile(forged, (await readFile(receipt, "utf8")).replace(/^extra .*$/m, `extra ${entry}`));
  const refused = await audit("check-receipt", forged, "--policy", policy);
  t.is(refused.code, 1);
  t.is(refused.stdout, "");
  t.regex(refused.stderr, /entry 0 is not in the tree of 2 entries \(log_invalid\)\nhint: /);
  const others = join(dir, "others.policy");
  await writeFile(others, policyText);
  t.regex(
    (await audit("check-receipt", receipt, "--policy", others)).stderr,
    /\(signature_invalid\)\nhint: /,
  );
});

test("tiles: an export becomes static files under its own checkpoint", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const log = sampleLog();
  const file = join(dir, "bank.fcexport");
  await writeFile(file, await log.export());
  const out = join(dir, "log");
  const made = await audit("tiles", file, "--out", out);
  t.is(made.code, 0, made.stderr);
  const { size } = log.range;
  t.is(made.stdout, `3 files in ${out}\n`);
  const checkpoint = parseCheckpoint(parseNote(await readFile(join(out, "checkpoint"), "utf8")).text);
  t.deepEqual([checkpoint.size, toBase64(checkpoint.root)], [size, toBase64(log.state().root)]);
  const tile = await readFile(join(out, `tile/0/000.p/${size}`));
  t.deepEqual(tile, Buffer.concat(log.leaves.map((leaf) => leafHash(leaf))));

  const damaged = join(dir, "damaged.fcexport");
  const bytes = (await readFile(file, "utf8")).replace(/"rows":(\d+)/, '"rows":1$1');
  await writeFile(damaged, bytes);
  const nowhere = join(dir, "nowhere");
  const refused = await audit("tiles", damaged, "--out", nowhere);
  t.is(refused.code, 1);
  t.false(existsSync(join(nowhere, "checkpoint")));
});
