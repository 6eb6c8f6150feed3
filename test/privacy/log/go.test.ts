import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { toBase64, utf8 } from "../../../core/bytes.ts";
import { seededRandom } from "../../../core/random.ts";
import { signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { cosign, cosigner } from "../../../privacy/log/cosignature.ts";
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
  verifierKey,
} from "../../../privacy/log/note.ts";
import { staticFiles } from "../../../privacy/log/tiles.ts";
import { leftOut } from "../../support/left-out.ts";

const goCommand = "go";

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
    const built = await go(program, "build", "-o", binary, ".");
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
  const cosigned = note + cosign(parseNote(note).text, cosigner("witness", witnessSeed, 7));
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
