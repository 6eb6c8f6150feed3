import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Digest } from "../core/canonical.ts";
import { seededRandom, uniform } from "../core/random.ts";
import { atMost, type Bench, type BenchOptions, type Figure, median, noted, option } from "./bench.ts";
import { Consortium, counted, held, Watch } from "./kills/consortium.ts";

const parties = 5;
const stepSeconds = 10;
const models = 3;

export const options: BenchOptions = {
  "--coordinator <n>": "kills of it (50)",
  "--nodes <n>": "kills of them (50)",
  "--every <seconds>": "between two kills (4)",
  "--seed <text>": "draws who is killed when (1)",
};

/**
 * Studies over gRPC, one after the other, whose coordinator and nodes, processes of their own with ledgers on disk,
 * are killed (kill -9) at random moments, and started again as a supervisor would.
 */
export const bench: Bench = async (args, progress) => {
  const kills = {
    coordinator: Number(option(args, "--coordinator", "50")),
    node: Number(option(args, "--nodes", "50")),
  };
  const every = Number(option(args, "--every", "4"));
  const random = seededRandom(`bench kills ${option(args, "--seed", "1")}`);
  await using cleanUp = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "fedcredit-kills-"));
  cleanUp.defer(() => rm(home, { recursive: true, force: true }));
  const consortium = await Consortium.found({
    home,
    random,
    parties,
    models,
    stepSeconds,
    database: "embedded",
  });
  cleanUp.use(consortium);
  progress("founded");

  const watch = new Watch();
  const left = { ...kills };
  const during = performance.now();
  const studies: Digest[] = [];
  const ends: string[] = [];
  const watching = (async () => {
    while (left.coordinator + left.node > 0) {
      const study = await consortium.begin(studies.length + 1);
      studies.push(study);
      ends.push(await consortium.follow(study, watch));
      progress(`study ${studies.length} ${ends.at(-1)}`);
    }
  })();
  while (left.coordinator + left.node > 0) {
    await sleep(1000 * every * (0.5 + uniform(random)));
    const bank = uniform(random) * (left.coordinator + left.node) < left.coordinator;
    if (bank) {
      left.coordinator--;
      await consortium.killCoordinator();
    } else {
      left.node--;
      await consortium.killNode(Math.floor(uniform(random) * parties));
    }
    watch.killed();
    progress(
      `killed ${bank ? "the coordinator" : "a node"} after ${watch.steps.length} steps, ${left.coordinator} and ${left.node} to come`,
    );
  }
  const disturbed = (performance.now() - during) / 1000;
  const underFire = watch.steps.length;
  await watching;

  const figures: Figure[] = [
    counted("kills of the coordinator", kills.coordinator),
    counted("kills of nodes", kills.node),
    counted("studies", studies.length),
    { ...counted("steps done while killing", underFire), target: "> 0", holds: underFire > 0 },
    seconds("mean time between two kills", disturbed / (kills.coordinator + kills.node)),
    seconds("a step, median", median(watch.steps)),
    seconds("a step, longest", Math.max(...watch.steps)),
    atMost(
      "a step after the last kill in it, longest",
      hundredths(Math.max(...watch.undisturbed)),
      "s",
      2 * stepSeconds,
    ),
    held(
      "every study finished",
      ends.every((end) => end === "finished"),
    ),
    ...(await consortium.verdict(studies.filter((_, i) => ends[i] === "finished"))),
  ];
  return { bench: "kills", runs: 1, figures };
};

const hundredths = (value: number): number => Math.round(100 * value) / 100;
const seconds = (name: string, value: number): Figure => noted(name, hundredths(value), "s");
