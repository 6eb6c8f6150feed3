import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type GuideName, guideNames, parseGuide, runGuides } from "../test/support/guides.ts";
import { type Bench, type BenchOptions, type Figure, noted } from "./bench.ts";

const repository = join(import.meta.dirname, "..");
const enterprises = ["mill", "bakery", "foundry", "dairy"];
/** Of docs/bank.md: the study has run, and the model is there. */
const firstModel = 12;

export const options: BenchOptions = {
  "--install":
    "begin with the guides' installation: a clone of this repository and npm's packages, which then run",
};

/**
 * Time from an empty machine to the first model and the verified export: the guides' own fenced blocks, each side in a
 * folder of its own, as fast as the machine goes and nobody thinks.
 */
export const bench: Bench = async (args, progress) => {
  await using cleanUp = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-guide-"));
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const steps = (
    await Promise.all(
      guideNames.map(async (guide: GuideName) =>
        parseGuide(guide, await readFile(join(repository, "docs", `${guide}.md`), "utf8")),
      ),
    )
  ).flat();
  const figures: Figure[] = [];
  const isInstalling = args.includes("--install");
  let installed = 0;
  if (isInstalling) {
    const begun = performance.now();
    for (const step of steps)
      if (step.guide === "bank" && step.step === 0 && step.kind === "run")
        await promisify(execFile)("sh", ["-ec", step.script.replace("URL", repository)], {
          cwd: folder,
          env: { ...process.env, npm_config_prefix: join(folder, "npm") },
          maxBuffer: 1 << 26,
        });
    installed = (performance.now() - begun) / 1000;
    progress(`installed in ${installed.toFixed(0)} s`);
    figures.push(noted("installation, by the guide's own commands", Math.round(installed), "s"));
  }
  const { seconds } = await runGuides(
    steps,
    enterprises,
    folder,
    cleanUp,
    (step) => progress(`step ${step}`),
    join(isInstalling ? join(folder, "fedcredit-src") : repository, "cli.js"),
  );
  figures.push(
    noted("enterprises", enterprises.length, ""),
    noted("first model, after the installation", Math.round(seconds.get(firstModel)!), "s"),
    ...(!isInstalling
      ? []
      : [noted("first model, from an empty machine", Math.round(installed + seconds.get(firstModel)!), "s")]),
    noted("verified export, after the installation", Math.round(Math.max(...seconds.values())), "s"),
  );
  return { bench: "guide", runs: 1, figures };
};
