import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { pino } from "pino";
import { startEmbedded } from "../coordinator/store/embedded.ts";
import type { Digest } from "../core/canonical.ts";
import { seededRandom, uniform } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import {
  atLeast,
  atMost,
  type Bench,
  type BenchOptions,
  type Figure,
  median,
  noted,
  option,
} from "./bench.ts";
import { fillDisk, mountSmallDisk, smallDiskNeeds } from "./cases/small-disk.ts";
import { Consortium, counted, held, nameOf, Watch } from "./kills/consortium.ts";

const parties = 6;
const usualModels = 40;
const stepSeconds = 10;
const bankMebibytes = 600;
const nodeMebibytes = 64;
const fullMillis = 4000;
const betweenMillis = 200;
/** PostgreSQL's own names for how it ends (pg_ctl), and the signals they are. */
const ways = [
  ["fast", "SIGINT"],
  ["immediate", "SIGQUIT"],
  ["killed", "SIGKILL"],
] as const;

export const options: BenchOptions = {
  "--database <kind>": "embedded: the coordinator's own; server: one of its own (server)",
  "--rounds <n>": "at least so many (2000)",
  "--restarts <n>": "of PostgreSQL (20)",
  "--kills <n>": "of the coordinator, and as many of nodes (5)",
  "--disks <n>": "fillings of each disk (2)",
  "--restores <n>": "of a backup (2)",
  "--models <n>": `in a study (${usualModels})`,
  "--every <seconds>": "between two happenings (8)",
  "--seed <text>": "draws when what happens (1)",
};

/**
 * Two weeks of a consortium in minutes: studies run one after the other, while PostgreSQL is restarted, processes
 * are killed, disks fill up, a second coordinator is started by mistake, certificates are made anew, backups are
 * restored, and a member is removed.
 */
export const bench: Bench = async (args, progress) => {
  const number = (name: string, otherwise: number): number => Number(option(args, name, String(otherwise)));
  const isEmbedded = option(args, "--database", "server") === "embedded";
  const restarts = number("--restarts", 20);
  const kills = number("--kills", 5);
  const fillings = number("--disks", 2);
  const restores = number("--restores", 2);
  const rounds = number("--rounds", 2000);
  const every = number("--every", 8);
  const models = number("--models", usualModels);
  const random = seededRandom(`bench fortnight ${option(args, "--seed", "1")}`);
  await using cleanUp = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "fedcredit-fortnight-"));
  cleanUp.defer(() => rm(home, { recursive: true, force: true }));

  const disks = { bank: join(home, "bank"), node: join(home, nameOf(0)) };
  const sizes = { bank: bankMebibytes, node: nodeMebibytes };
  for (const name of ["bank", "node"] as const) {
    const unmount = mountSmallDisk(disks[name], sizes[name]);
    if (unmount === undefined) throw new Error(`a disk to fill needs ${smallDiskNeeds}`);
    cleanUp.defer(unmount);
  }
  const cluster = join(isEmbedded ? join(disks.bank, "data") : home, "postgres");
  let database = "embedded";
  if (!isEmbedded) {
    const server = await startEmbedded(cluster, pino({ enabled: false }));
    cleanUp.defer(() => server.stop());
    database = `postgres://${server.user}@localhost/postgres?host=${encodeURIComponent(server.socketDirectory)}`;
  }
  const consortium = await Consortium.found({ home, random, parties, models, stepSeconds, database });
  cleanUp.use(consortium);
  progress(`founded with the ${isEmbedded ? "embedded database" : "database on a server"}`);

  const seconds: { refusals: string[]; ran: number } = { refusals: [], ran: 0 };
  const restart = async (): Promise<string> => {
    // Each way in its turn.
    const [way, signal] = ways[turn++ % ways.length]!;
    for (;;) {
      const pid = Number.parseInt(
        await readFile(join(cluster, "postmaster.pid"), "utf8").catch(() => ""),
        10,
      );
      try {
        process.kill(pid, signal);
        restarted[way]++;
        return `PostgreSQL restarted, ${way}`;
      } catch {
        // It is between two starts.
        await sleep(betweenMillis);
      }
    }
  };
  let turn = 0;
  const restarted = { fast: 0, immediate: 0, killed: 0 };
  const another = async (): Promise<string> => {
    const said = await consortium.startAnother();
    if (said === undefined) seconds.ran++;
    else seconds.refusals.push(said);
    return `a second coordinator: ${said ?? "RAN"}`;
  };
  /** Another machine: nothing of the database is left. */
  const empty = async (): Promise<void> => {
    if (!isEmbedded) {
      const client = new pg.Client({ connectionString: database });
      await client.connect();
      await client.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
      await client.end();
      return;
    }
    const pid = Number.parseInt(await readFile(join(cluster, "postmaster.pid"), "utf8").catch(() => "0"), 10);
    if (pid > 0) process.kill(pid, "SIGKILL");
    await sleep(fullMillis);
    await rm(cluster, { recursive: true, force: true });
  };
  const fill = async (dir: string, whose: string): Promise<string> => {
    const free = fillDisk(dir);
    await sleep(fullMillis);
    free();
    return `${whose} disk was full, and is free again`;
  };
  const happenings: (() => Promise<string>)[] = shuffled(random, [
    ...Array.from({ length: restarts }, () => restart),
    ...Array.from({ length: kills }, () => async () => {
      await consortium.killCoordinator();
      return "the coordinator was killed";
    }),
    ...Array.from({ length: kills }, () => async () => {
      const { parties: members } = consortium;
      const party = members[Math.floor(uniform(random) * members.length)]!;
      await consortium.killNode(party);
      return `${nameOf(party)} was killed`;
    }),
    ...Array.from({ length: fillings }, () => () => fill(disks.bank, "the bank's")),
    ...Array.from({ length: fillings }, () => () => fill(disks.node, "a node's")),
    another,
    async () => {
      await restart();
      return another();
    },
    async () => {
      await consortium.renewCertificates(1);
      return "certificates were made anew";
    },
    ...Array.from({ length: restores }, () => async () => {
      const file = join(home, "bank.fcbackup");
      await consortium.backUp(file);
      await sleep(1000 * every);
      return `a backup was restored: ${await consortium.restoreFrom(file, empty)}`;
    }),
    async () => {
      await consortium.remove(parties - 1);
      return `${nameOf(parties - 1)} was removed`;
    },
  ]);

  const watch = new Watch();
  const studies: Digest[] = [];
  /** Of the log and all ledgers, after each study. */
  const agreed: boolean[] = [];
  let left = happenings.length;
  const began = performance.now();
  /** A study that is lost with the log while it is begun is begun again. */
  const begun = async (study: number): Promise<Digest> => {
    for (;;)
      try {
        return await consortium.begin(study);
      } catch (error) {
        if (!(error instanceof Refusal) || error.reason !== "not_found") throw error;
      }
  };
  const studying = async (): Promise<void> => {
    while (left > 0 || watch.steps.length < rounds) {
      const study = await begun(studies.length + 1);
      studies.push(study);
      const end = await consortium.follow(study, watch);
      const ended = `study ${studies.length} ${end}, ${watch.steps.length} rounds so far`;
      agreed.push(await consortium.agrees());
      progress(`${ended}; log and ledgers ${agreed.at(-1) ? "agree" : "DO NOT AGREE"}`);
    }
  };
  const happening = async (): Promise<void> => {
    while (studies.length === 0) await sleep(betweenMillis);
    for (const happen of happenings) {
      await sleep(1000 * every * (0.5 + uniform(random)));
      const what = await happen();
      watch.killed();
      left--;
      progress(
        `${what} (after ${watch.steps.length} rounds${watch.waits && `; waits: ${watch.waits}`}); ${left} to come`,
      );
    }
  };
  await Promise.all([studying(), happening()]);
  const minutes = (performance.now() - began) / 60_000;

  for (const line of consortium.ended) progress(`ended by itself: ${line}`);
  // One that had finished may run again, and fail, where the bank was restored from before its end.
  const ends = await Promise.all(studies.map((study) => consortium.endOf(study)));
  const finished = studies.filter((_, i) => ends[i] === "finished");
  const figures: Figure[] = [
    noted("database", isEmbedded ? "embedded" : "server", ""),
    noted("minutes", hundredths(minutes), "min"),
    atLeast("rounds", watch.steps.length, "", rounds),
    ...Object.entries(restarted).map(([way, times]) => counted(`PostgreSQL restarts, ${way}`, times)),
    counted("kills of the coordinator", kills),
    counted("kills of nodes", kills),
    counted("times a disk was full", 2 * fillings),
    counted("backups restored", restores),
    atMost("second coordinators that ran", seconds.ran, "", 0),
    atMost("processes that ended by themselves", consortium.ended.length, "", 0),
    counted("studies", studies.length),
    counted("studies that finished", finished.length),
    held(
      "every study finished, or says why",
      ends.every((end) => end === "finished" || end.includes(" ")),
    ),
    noted("how studies ended", endsOf(ends), ""),
    held("verify and reconcile hold after every study", agreed.every(Boolean)),
    noted("a step, median", hundredths(median(watch.steps)), "s"),
    noted("a step, longest", hundredths(Math.max(...watch.steps)), "s"),
    noted("a step after the last happening in it, longest", hundredths(Math.max(...watch.undisturbed)), "s"),
    ...(await consortium.verdict(finished)),
  ];
  return { bench: "fortnight", runs: 1, figures };
};

const hundredths = (value: number): number => Math.round(100 * value) / 100;

/** "9 finished, 1 failed party_refused": what follows the reason is left out. */
function endsOf(ends: readonly string[]): string {
  const times = new Map<string, number>();
  for (const end of ends) {
    const [phase, reason] = end.split(" ");
    const what = end.startsWith("lost with the log") ? "lost with the log" : [phase, reason].join(" ").trim();
    times.set(what, (times.get(what) ?? 0) + 1);
  }
  return [...times].map(([what, count]) => `${count} ${what}`).join(", ");
}

function shuffled<T>(random: Parameters<typeof uniform>[0], items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: uniform(random) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
