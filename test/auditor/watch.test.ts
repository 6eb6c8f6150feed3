/** `fedcredit audit watch --alarms` as a process, at a bank whose log the test writes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type * as grpc from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { stringify } from "yaml";
import type { Alarm } from "../../auditor/alarms/delivery.ts";
import { createAuditorKey } from "../../auditor/keys.ts";
import { eventually } from "../../bench/cases/within.ts";
import { Authority, createAuthority } from "../../coordinator/authority/ca.ts";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { publicIdentity } from "../../privacy/identity.ts";
import type { Entry } from "../../privacy/log/entry.ts";
import { consistencyProof, GrowingTree, inclusionProof, leafHash } from "../../privacy/log/merkle.ts";
import { Log, statusOf } from "../../proto/wire.ts";
import { listenAgain } from "../support/listen-again.ts";
import { bank, enterprises, LogBuilder, sampleLog } from "../support/log.ts";
import { alarmsIn, mailReceiver, webhookReceiver } from "../support/receivers.ts";
import { serve } from "../support/wire-server.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
/** So long between two looks: short, so that many repeats are seen. */
const everySeconds = 0.05;

const honest = sampleLog().leaves;
const entryAt = (index: number): Entry => JSON.parse(Buffer.from(honest[index]!).toString()) as Entry;
/** The first sum of fewer enterprises than there are. */
const small = honest.findIndex((_, i) => {
  const entry = entryAt(i);
  return entry.type === "round.survivors" && entry.survivors.length < enterprises.length;
});

/** A bank that shows the first `size` of these leaves, over mutual TLS. `looks` counts how often it was asked. */
async function bankOf(t: ExecutionContext, authority: Authority) {
  let log = new LogBuilder();
  let tree = new GrowingTree();
  const is = { looks: 0 };
  type Unary = (request: Record<string, number>) => object | Promise<object>;
  const unary =
    (answer: Unary) =>
    ({ request }: { request: Record<string, number> }, callback: grpc.sendUnaryData<unknown>): void => {
      Promise.resolve()
        .then(() => answer(request))
        .then(
          (reply) => callback(null, reply),
          (error: unknown) => callback(statusOf(error)),
        );
    };
  const handlers = {
    GetCheckpoint: unary(() => {
      is.looks++;
      return { note: log.checkpoint() };
    }),
    GetConsistency: unary(async ({ oldSize, newSize }) => {
      if (newSize! > log.leaves.length) throw new Refusal("not_found", "beyond the log's end");
      return { hashes: await consistencyProof(Number(oldSize), Number(newSize), tree.read) };
    }),
    GetInclusion: unary(async ({ index, size }) => ({
      hashes: await inclusionProof(Number(index), Number(size), tree.read),
      entry: log.leaves[Number(index)],
    })),
    Cosign: unary(() => ({ note: log.checkpoint() })),
  };
  const open = (listen?: string) =>
    serve(authority, [[Log.service, handlers as never]], listen === undefined ? {} : { listen });
  let server = await open();
  const { address } = server;
  t.teardown(() => server.stop());
  return {
    address,
    is,
    show(leaves: readonly Uint8Array[], size = leaves.length): void {
      log = new LogBuilder(bank);
      tree = new GrowingTree();
      for (const leaf of leaves.slice(0, size)) {
        log.appendBytes(leaf);
        tree.append(leafHash(leaf));
      }
    },
    /** As a bank that is away: nobody answers at its address. */
    leave: () => server.stop(),
    async comeBack(): Promise<void> {
      server = await listenAgain(() =>
        open(address).catch((error: unknown) => {
          throw Object.assign(error as Error, { code: "EADDRINUSE" });
        }),
      );
    },
    /** Returns once the watch has looked so often since. */
    async looks(count = 4): Promise<void> {
      const from = is.looks;
      await eventually(
        () => is.looks >= from + count,
        () => `look ${is.looks - from} of ${count}`,
      );
    },
  };
}

/** An auditor's folder with both receivers in its alarms.yaml, at a bank. */
async function stage(t: ExecutionContext, alarms: object) {
  const dir = await mkdtemp(join(tmpdir(), "fedcredit-watch-"));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const authority = await Authority.open(
    "riverbank-sme",
    await createAuthority("riverbank-sme", Date.now(), secureRandom),
    secureRandom,
  );
  const tls = await authority.issueClient({ role: "auditor", id: "auditor" }, Date.now());
  await createAuditorKey(dir, "riverbank-sme/auditor", secureRandom);
  await writeFile(join(dir, "tls.key"), tls.privateKeyPem);
  await writeFile(join(dir, "auditor.pem"), `${tls.certificatePem}\n${authority.certificatePem}\n`);
  await writeFile(join(dir, "bank.pub"), `${publicIdentity(bank).verifierKey}\n`);
  const [hook, mail] = [await webhookReceiver(t), await mailReceiver(t)];
  const file = join(dir, "alarms.yaml");
  await writeFile(file, stringify({ webhook: { url: hook.url }, mail: mail.mail, ...alarms }));
  const at = await bankOf(t, authority);
  const watch = (...more: string[]) => {
    const child = spawn(
      process.execPath,
      ["--no-warnings", cli, "audit", "watch", "--dir", dir, "--coordinator", at.address].concat(
        ["--every", String(everySeconds), "--alarms", file],
        more,
      ),
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    t.teardown(() => void child.kill("SIGKILL"));
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => said.push(line));
    return { child, said, ended: once(child, "close") as Promise<[number | null, string | null]> };
  };
  /** What was posted, as kind and entry; each of them by mail, too. */
  const told = (): Pick<Alarm, "kind" | "entry">[] =>
    alarmsIn(hook.got).map(({ kind, entry }) => ({ kind, ...(entry !== undefined && { entry }) }));
  const kinds = (): string[] => told().map(({ kind }) => kind);
  const mailed = (): string[] => mail.got.map((text) => /^Subject: .*: (\w+)\r?$/m.exec(text)?.[1] ?? text);
  const untilTold = async (...expected: Alarm["kind"][]): Promise<void> => {
    await eventually(
      () => kinds().length >= expected.length && mailed().length >= expected.length,
      () => `${expected}; told ${kinds()}, mailed ${mailed()}`,
    );
    t.deepEqual(kinds(), expected);
    t.deepEqual(mailed(), expected);
  };
  return { dir, at, hook, mail, watch, told, untilTold };
}

const stop = async ({ child, ended }: { child: ChildProcess; ended: Promise<unknown> }): Promise<void> => {
  child.kill("SIGTERM");
  await ended;
};

test.serial(
  "an honest log raises nothing; a sum of too few is told once, with its entry, by webhook and by mail",
  async (t) => {
    const { at, watch, told, untilTold } = await stage(t, { thresholds: { cohort: enterprises.length } });
    at.show(honest, small - 1);
    const process = watch();
    await at.looks();
    at.show(honest, small);
    await at.looks();
    await untilTold();
    at.show(honest, small + 1);
    await untilTold("breach");
    await at.looks();
    t.deepEqual(told(), [{ kind: "breach", entry: small }]);
    await stop(process);
    t.deepEqual(
      process.said
        .filter((line) => line.startsWith("ALARM"))
        .map((line) => line.replace(/study \S+/, "study").replace(/;.*(?=, entry)/, "")),
      [`ALARM breach: study sums 3 enterprises, fewer than ${enterprises.length}, entry ${small}`],
    );
    // What was looked at is not looked at again.
    const again = watch();
    await at.looks();
    await untilTold("breach");
    await stop(again);
  },
);

test.serial(
  "a log that stands still is told once, over a restart of the watch and a bank that is away, and so is that it grows",
  async (t) => {
    const { at, watch, untilTold } = await stage(t, { stallSeconds: 1 });
    at.show(honest, 3);
    const first = watch();
    await untilTold("stall");
    await at.looks();
    await stop(first);
    const second = watch();
    await at.looks();
    at.leave();
    await eventually(() => second.said.some((line) => line.startsWith("unavailable: ")));
    await at.comeBack();
    await at.looks();
    await untilTold("stall");
    at.show(honest, 4);
    await untilTold("stall", "recovered");
    await stop(second);
  },
);

test.serial("a bank that is away for too long is told, and that it is back", async (t) => {
  const { at, hook, watch, untilTold } = await stage(t, { stallSeconds: 1 });
  at.show(honest, 3);
  at.leave();
  const process = watch();
  await untilTold("stall");
  t.regex(alarmsIn(hook.got)[0]!.text, /^the bank was not reached \(unavailable\) for \d+ s$/);
  await at.comeBack();
  await untilTold("stall", "recovered");
  await stop(process);
});

test.serial(
  "a fork ends the watch, once its alarm was taken; it is told once, and so is that the log is followed again",
  async (t) => {
    const { at, hook, mail, watch, untilTold } = await stage(t, {});
    at.show(honest, 6);
    const process = watch();
    await at.looks();
    await untilTold();
    [hook.is.broken, mail.is.broken] = [true, true];
    // Another branch: it has the first five entries, and is larger.
    at.show([...honest.slice(0, 5), ...honest.slice(6, 9)]);
    await eventually(() => hook.is.asked >= 3);
    t.is(process.child.exitCode, null, "it has not been told yet");
    [hook.is.broken, mail.is.broken] = [false, false];
    const [code] = await process.ended;
    t.is(code, 1);
    t.true(
      process.said.some((line) => line.startsWith("ALARM fork: log_forked: ")),
      process.said.join("\n"),
    );
    await untilTold("fork");
    // A service manager that starts it again tells nobody twice.
    const again = watch();
    t.deepEqual(await again.ended, [1, null]);
    await untilTold("fork");
    at.show(honest, 7);
    const third = watch("--once");
    t.deepEqual(await third.ended, [0, null], third.said.join("\n"));
    await untilTold("fork", "recovered");
  },
);

test.serial("a log that was rewound, and one of the same size with another root, are forks", async (t) => {
  for (const branch of [honest.slice(0, 4), [...honest.slice(0, 5), honest[6]!]]) {
    const { at, watch, untilTold } = await stage(t, {});
    at.show(honest, 6);
    t.deepEqual(await watch("--once").ended, [0, null]);
    at.show(branch);
    t.deepEqual(await watch("--once").ended, [1, null]);
    await untilTold("fork");
  }
});

test.serial(
  "what no receiver took waits over a kill, and reaches each of them once, in its order",
  async (t) => {
    const { at, hook, mail, watch, told } = await stage(t, {
      thresholds: { cohort: enterprises.length, noise: "required" },
    });
    const proposed = honest.findIndex((_, i) => entryAt(i).type === "study.proposed");
    [hook.is.broken, mail.is.broken] = [true, true];
    at.show(honest, small + 1);
    const first = watch();
    await eventually(() => hook.is.asked >= 3);
    first.child.kill("SIGKILL");
    await first.ended;
    t.is(first.said.filter((line) => line.startsWith("ALARM")).length, 2);
    // One of two is up again: the other's alarms wait on.
    hook.is.broken = false;
    const second = watch();
    await eventually(() => hook.got.length === 2);
    await at.looks();
    t.deepEqual(mail.got, []);
    mail.is.broken = false;
    await eventually(() => mail.got.length > 0);
    await at.looks();
    t.is(mail.got.length, 1, "one mail has all that waited");
    t.regex(mail.got[0]!, /without noise[\s\S]*sums 3 enterprises/);
    t.deepEqual(
      told().map(({ entry }) => entry),
      [proposed, small],
    );
    t.is(second.said.filter((line) => line.startsWith("ALARM")).length, 0, "nothing is raised again");
    await stop(second);
  },
);
