import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { toBase64, utf8 } from "../../../core/bytes.ts";
import { seededRandom } from "../../../core/random.ts";
import { openCheckpoint, signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { cosign, cosigner, parseCosignatureKey } from "../../../privacy/log/cosignature.ts";
import { ed25519PublicKey } from "../../../privacy/log/ed25519.ts";
import {
  appendLeaf,
  consistencyProof,
  emptyRange,
  type Hash,
  inclusionProof,
  leafHash,
  rangeRoot,
} from "../../../privacy/log/merkle.ts";
import {
  newSignerKey,
  noteSigner,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
  verifierKey,
} from "../../../privacy/log/note.ts";
import { formatPolicy, parsePolicy, quorumReached } from "../../../privacy/log/policy.ts";
import { staticFiles } from "../../../privacy/log/tiles.ts";
import { freePort } from "../../support/collecting.ts";
import { leftOut } from "../../support/left-out.ts";

const goCommand = "go";
const agentCommand = "ssh-agent";

/** Runs `go` in the folder of one of the programs. */
const go = (program: string, ...args: string[]): Promise<{ ok: boolean; output: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly" };
    execFile(
      goCommand,
      args,
      { cwd: fileURLToPath(new URL(`../../vectors/${program}`, import.meta.url)), env },
      (error, stdout, stderr) => resolve({ ok: error === null, output: stdout + stderr }),
    );
  });

/** Builds one of the programs and uses it; without Go, or its modules, it is left out by name. */
async function withProgram(
  t: ExecutionContext,
  program: string,
  what: string,
  use: (binary: string, directory: string) => Promise<void>,
  packageName = ".",
): Promise<void> {
  const modules = await go(program, "mod", "download");
  if (!modules.ok) {
    leftOut(what);
    t.pass();
    return;
  }
  // To compile it takes a minute where nothing of it is kept.
  t.timeout(300_000);
  const directory = await mkdtemp(join(tmpdir(), "fedcredit-go-"));
  try {
    const binary = join(directory, program);
    const built = await go(program, "build", "-o", binary, packageName);
    t.true(built.ok, built.output);
    await use(binary, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const name = "riverbank-sme/log";
const { keep, send } = newSignerKey(name, seededRandom("go"));
const signer = noteSigner(name, parseSignerKey(keep).seed);

/** Writes a log as static files, with a proof for many pairs of sizes, to be read by another implementation. */
async function writeLog(directory: string, size: number): Promise<void> {
  const stored = new Map<string, Hash>();
  const read = (level: number, index: number): Hash => stored.get(`${level}/${index}`)!;
  const entries = Array.from({ length: size }, (_, i) => utf8(`entry ${i}`.repeat(i % 3)));
  const roots: Hash[] = [rangeRoot(emptyRange)];
  let range = emptyRange;
  for (const entry of entries) {
    const step = appendLeaf(range, leafHash(entry));
    range = step.range;
    roots.push(rangeRoot(range));
    for (const { level, index, hash } of step.stored) stored.set(`${level}/${index}`, hash);
  }
  const put = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  };
  const note = signCheckpoint({ origin: name, size, root: rangeRoot(range) }, signer);
  // A cosignature is by a key Go was not told of: it has to be ignored there.
  const { text } = parseNote(note);
  const second = cosign(text, cosigner("witness", witnessSeed, 7, "ML-DSA-44"));
  const cosigned = note + cosign(text, cosigner("witness", witnessSeed, 7)) + second;
  for await (const { path, bytes } of staticFiles(cosigned, entries)) await put(path, bytes);
  const inclusion = [];
  const consistency = [];
  for (let i = 0; i < size; i += Math.ceil(size / 40)) {
    const proof = (await inclusionProof(i, size, read)).map(toBase64);
    inclusion.push({
      Index: i,
      Size: size,
      Root: toBase64(roots[size]!),
      Proof: proof,
      Entry: toBase64(entries[i]!),
    });
    // Go has no proof from the empty tree.
    const oldSize = i + 1;
    const path = (await consistencyProof(oldSize, size, read)).map(toBase64);
    const ends = { OldRoot: toBase64(roots[oldSize]!), Root: toBase64(roots[size]!) };
    consistency.push({ OldSize: oldSize, Size: size, ...ends, Proof: path });
  }
  await put("proofs.json", JSON.stringify({ Key: send, Inclusion: inclusion, Consistency: consistency }));
}

/** @returns what a program said, and whether it was content. */
const runs = (binary: string, ...args: string[]): Promise<{ ok: boolean; output: string }> =>
  new Promise((resolve) => {
    execFile(binary, args, (error, stdout, stderr) =>
      resolve({ ok: error === null, output: stdout + stderr }),
    );
  });

const witnessSeed = seededRandom("w").bytes(32);
const witnessKey = verifierKey("witness", ed25519PublicKey(witnessSeed));

test("Go's sumdb/note and sumdb/tlog accept checkpoint, tiles, entries and proofs", async (t) => {
  const what = "go with golang.org/x/mod: third-party check of the log's formats";
  await withProgram(t, "go-verify", what, async (binary, directory) => {
    for (const size of [1, 2, 255, 256, 257, 1000, ...(process.env.SLOW ? [70_000] : [])]) {
      const log = join(directory, String(size));
      await writeLog(log, size);
      const { output } = await runs(binary, log);
      t.regex(output, new RegExp(`^ok: ${size} entries, [1-9]\\d* inclusion`), `${size}: ${output}`);
    }
  });
});

test("Tessera's fsck accepts the log's files, and its note package a witness's cosignature; neither accepts another", async (t) => {
  const what = "go with github.com/transparency-dev/tessera: fsck of the log's files";
  await withProgram(t, "go-fsck", what, async (binary, directory) => {
    for (const size of [1, 256, 257, 1000]) {
      const log = join(directory, String(size));
      await writeLog(log, size);
      const run = await runs(binary, log, send, witnessKey);
      t.true(run.ok, `${size}: ${run.output}`);
    }
    const log = join(directory, "1000");
    const other = verifierKey("witness", ed25519PublicKey(seededRandom("x").bytes(32)));
    t.regex((await runs(binary, log, send, other)).output, /1 signatures verify/);
    const tile = join(log, "tile/0/001");
    const bytes = await readFile(tile);
    bytes[40]! ^= 1;
    await writeFile(tile, bytes);
    t.regex((await runs(binary, log, send, witnessKey)).output, /^fsck: /m);
  });
});

/** An SSH agent with one new key: litewitness signs by nothing else. @returns its socket, and the key's fingerprint */
async function startAgent(t: ExecutionContext, directory: string) {
  const socket = join(directory, "agent.sock");
  const keyFile = join(directory, "witness.pem");
  const agent = spawn(agentCommand, ["-D", "-a", socket], { stdio: "ignore" });
  t.teardown(() => void agent.kill());
  const ssh = (program: string, ...args: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, SSH_AUTH_SOCK: socket };
      execFile(program, args, { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
  await ssh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", keyFile);
  while (!existsSync(socket) && agent.exitCode === null) await delay(20);
  await ssh("ssh-add", "-q", keyFile);
  return { socket, fingerprint: (await ssh("ssh-keygen", "-lf", keyFile)).split(" ")[1]! };
}

/** A log of so many entries: its checkpoint, and a proof that it grew out of an older one. */
async function grownLog(size: number, oldSize: number, differs = "") {
  const stored = new Map<string, Hash>();
  let range = emptyRange;
  for (let i = 0; i < size; i++) {
    const step = appendLeaf(range, leafHash(utf8(`entry ${i}${differs}`)));
    range = step.range;
    for (const { level, index, hash } of step.stored) stored.set(`${level}/${index}`, hash);
  }
  const read = (level: number, index: number): Hash => stored.get(`${level}/${index}`)!;
  const proof = oldSize === 0 ? [] : await consistencyProof(oldSize, size, read);
  const checkpoint = signCheckpoint({ origin: name, size, root: rangeRoot(range) }, signer);
  return { checkpoint, body: [`old ${oldSize}`, ...proof.map(toBase64), "", checkpoint].join("\n") };
}

test("a public witness, litewitness, cosigns the log as it grows and no other; its cosignature counts in a policy", async (t) => {
  const what = "go with filippo.io/torchwood, and ssh-agent: a public witness cosigns the log";
  if (!(await runs(agentCommand, "-h")).output.includes("usage")) {
    leftOut(what);
    return t.pass();
  }
  const target = "filippo.io/torchwood/cmd/litewitness";
  const use = async (binary: string, directory: string): Promise<void> => {
    const { socket, fingerprint } = await startAgent(t, directory);
    const port = await freePort();
    const database = join(directory, "witness.db");
    const witness = spawn(
      binary,
      [
        ...["-name", "example.com/witness", "-key", fingerprint, "-ssh-agent", socket],
        ...["-db", database, "-listen", `127.0.0.1:${port}`],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    t.teardown(() => void witness.kill());
    let said = "";
    witness.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const add = (body: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/add-checkpoint`, { method: "POST", body });
    const first = await grownLog(5, 0);
    let answer: Response | undefined;
    while (answer === undefined && witness.exitCode === null)
      answer = await add(first.body).catch(() => delay(50).then(() => undefined));
    t.is(answer?.status, 403, `a log that it was not told of: ${said}`);
    // What its own tool does, which has dependencies that are not served everywhere.
    const told = new DatabaseSync(database);
    told
      .prepare("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)")
      .run(name, toBase64(rangeRoot(emptyRange)));
    told.prepare("INSERT INTO key (origin, key) VALUES (?, ?)").run(name, send);
    told.close();

    const key = parseCosignatureKey(/vkey="?([^\s"]+)/.exec(said)![1]!);
    const policy = parsePolicy(formatPolicy(parseVerifierKey(send), [key], 1));
    const cosignedBy = async ({ checkpoint, body }: Awaited<ReturnType<typeof grownLog>>) => {
      const response = await add(body);
      const text = await response.text();
      t.is(response.status, 200, text);
      const opened = openCheckpoint(checkpoint + text, policy.log, policy.witnesses);
      t.true(quorumReached(policy, opened.cosigned));
    };
    await cosignedBy(first);
    await cosignedBy(await grownLog(300, 5));
    // Another cosignature on the note, of an algorithm that it does not know, is passed over.
    const second = cosigner("witness", witnessSeed, 7, "ML-DSA-44");
    const next = await grownLog(301, 300);
    await cosignedBy({ ...next, body: next.body + cosign(parseNote(next.checkpoint).text, second) });
    t.is((await add(first.body)).status, 409, "a shorter log");
    t.is((await add((await grownLog(302, 301, "?")).body)).status, 422, "another log");
  };
  await withProgram(t, "go-litewitness", what, use, target);
});
