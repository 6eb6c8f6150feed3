/** The guides of docs/ as something to run: their fenced blocks, in the order of their numbered headings. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { basename, delimiter, dirname, join } from "node:path";
import { freePorts, pairwise } from "../../demo/processes.ts";

export const guideNames = ["bank", "enterprise", "auditor"] as const;
export type GuideName = (typeof guideNames)[number];

type Action =
  | { readonly kind: "run"; readonly script: string }
  /** Runs on in a terminal of its own, from when it says `says`. */
  | { readonly kind: "service"; readonly script: string; readonly says: string }
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  | { readonly kind: "hand"; readonly path: string; readonly to: string };

export type GuideStep<Guide extends string = GuideName> = Action & {
  readonly guide: Guide;
  /** Of the heading; 0 before the first: installation. */
  readonly step: number;
  readonly line: number;
};

/** The enterprise that the guides speak of. */
const exemplar = "mill";

/** @throws Error where a block is not marked as the runner understands it. */
export function parseGuide<Guide extends string>(guide: Guide, text: string): GuideStep<Guide>[] {
  const steps: GuideStep<Guide>[] = [];
  const lines = text.split("\n");
  let step = 0;
  let mark = "";
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const at = { guide, step, line: i + 1 };
    const heading = /^## (\d+)\. /.exec(line);
    if (heading) step = Number(heading[1]);
    const hand = /^<!-- hand (\S+) to (\S+) -->$/.exec(line);
    const comment = /^<!-- (.*) -->$/.exec(line);
    const fence = /^```(\w*)$/.exec(line);
    if (hand) steps.push({ ...at, kind: "hand", path: hand[1]!, to: hand[2]! });
    else if (comment) mark = comment[1]!;
    if (!fence) continue;
    const end = lines.indexOf("```", i + 1);
    const block = `${lines.slice(i + 1, end).join("\n")}\n`;
    steps.push({ ...at, ...actionOf(fence[1]!, mark, block, at) });
    mark = "";
    i = end;
  }
  return steps;
}

function actionOf(
  language: string,
  mark: string,
  block: string,
  { guide, line }: { guide: string; line: number },
): Action {
  const file = /^file: (\S+)$/.exec(mark);
  if (file) return { kind: "file", path: file[1]!, text: block };
  const says = /^runs on, until it says: (.+)$/.exec(mark);
  if (language === "sh" && says) return { kind: "service", script: block, says: says[1]! };
  if (language === "sh" && ["", "for each enterprise"].includes(mark)) return { kind: "run", script: block };
  throw new Error(`${guide}.md:${line}: a block that is neither sh nor marked as a file`);
}

/** Blocks marked `<!-- block: NAME -->`, by their name. */
export const namedBlocks = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [...text.matchAll(/^<!-- block: (.+) -->\n```sh\n([^`]*)^```$/gm)].map(([, name, block]) => [
      name!,
      block!,
    ]),
  );

export interface GuideRun {
  /** Folder of a side: bank, auditor, or an enterprise's id. */
  readonly home: (side: string) => string;
  /** What a step printed on stdout, by `guide step`; those of several enterprises after each other. */
  readonly printed: ReadonlyMap<string, string>;
  /** Seconds since the start when a step had ended, by its number. */
  readonly seconds: ReadonlyMap<number, number>;
  /**
   * Runs a script as a side would. @returns what it printed on stdout.
   * @param where - for the message of a failure.
   */
  run(script: string, where: string, side: string, enterprise?: string): Promise<string>;
  /** Ends what runs on at a side, all of it. @throws Error where it ends other than cleanly. */
  stop(side: string): Promise<void>;
  /** Starts what a guide lets run on, again. */
  start(guide: GuideName, side: string): Promise<void>;
}

/**
 * Runs every numbered step, each side in its own folder below `folder`; the enterprise's for each enterprise.
 *
 * @param onStep - told the number of a step before it is run.
 * @param program - what `fedcredit` is: this repository's unless told.
 * @throws Error naming guide, step and line, with what the commands printed.
 */
export async function runGuides(
  steps: readonly GuideStep[],
  enterprises: readonly string[],
  folder: string,
  cleanUp: AsyncDisposableStack,
  onStep: (step: number) => void = () => {},
  program = join(import.meta.dirname, "../../cli.js"),
): Promise<GuideRun> {
  const home = (side: string): string => join(folder, side);
  const bin = join(folder, "bin");
  for (const side of ["bank", "auditor", "bin", ...enterprises]) await mkdir(home(side));
  // As npm link does.
  await symlink(program, join(bin, "fedcredit"));
  const path = [bin, dirname(process.execPath), process.env.PATH].join(delimiter);
  // Fifty commands start: each reads the stripped sources of the one before.
  const env = { ...process.env, PATH: path, NODE_COMPILE_CACHE: join(folder, "compile-cache") };
  const ports = await freePorts(3 + enterprises.length);
  const adapt = (text: string, enterprise: string): string =>
    text
      .replaceAll("8443", String(ports[0]))
      .replaceAll("8444", String(ports[1]))
      .replaceAll("8080", String(ports[2]))
      .replaceAll("8090", String(ports[3 + enterprises.indexOf(enterprise)]))
      .replaceAll(new RegExp(`\\b${exemplar}\\b`, "gi"), (word) =>
        word === exemplar ? enterprise : `${enterprise[0]!.toUpperCase()}${enterprise.slice(1)}`,
      );
  const printed = new Map<string, string>();
  const seconds = new Map<number, number>();
  const begun = performance.now();

  const services: { readonly side: string; readonly end: () => Promise<void> }[] = [];

  async function run(script: string, where: string, side: string, enterprise = side): Promise<string> {
    const child = spawn("sh", ["-ex", "-c", adapt(script, enterprise)], { cwd: home(side), env });
    const output = collect(child);
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`${where}, as ${side}: exit code ${code}\n${output.err}${output.out}`);
    return output.out;
  }

  async function serve(one: GuideStep & { kind: "service" }, side: string): Promise<void> {
    const where = `${placeOf(one)}, as ${side}`;
    const child = spawn("sh", ["-c", `exec ${adapt(one.script, side)}`], { cwd: home(side), env });
    const output = collect(child);
    const closed = once(child, "close");
    const ended = closed.then(([code]) => {
      throw new Error(`${where}: ended with ${code}\n${output.err}${output.out}`);
    });
    ended.catch(() => {});
    services.push({
      side,
      async end() {
        child.kill("SIGTERM");
        const [code] = await closed;
        if (code !== 0) throw new Error(`${where}: SIGTERM ended it with ${code}\n${output.err}`);
      },
    });
    await Promise.race([output.says(one.says), ended]);
  }

  async function stop(side?: string): Promise<void> {
    const leaving = services.filter((one) => side === undefined || one.side === side);
    services.splice(0, services.length, ...services.filter((one) => !leaving.includes(one)));
    await Promise.all(leaving.map(({ end }) => end()));
  }
  cleanUp.defer(() => stop());

  async function perform(one: GuideStep, side: string, enterprise: string): Promise<void> {
    switch (one.kind) {
      case "file":
        return writeFile(join(home(side), adapt(one.path, enterprise)), adapt(one.text, enterprise));
      case "hand": {
        const file = adapt(one.path, enterprise);
        return copyFile(join(home(side), file), join(home(adapt(one.to, enterprise)), basename(file)));
      }
      case "run": {
        const out = await run(one.script, placeOf(one), side, enterprise);
        const key = `${one.guide} ${one.step}`;
        printed.set(key, (printed.get(key) ?? "") + out);
        return;
      }
      case "service":
        return serve(one, side);
    }
  }

  for (const number of [...new Set(steps.map(({ step }) => step))].sort((a, b) => a - b)) {
    if (number === 0) continue;
    onStep(number);
    const ofNumber = steps.filter(({ step }) => step === number);
    if (ofNumber.every(({ guide }) => guide === "enterprise"))
      await pairwise(enterprises, async (id) => {
        for (const one of ofNumber) await perform(one, id, id);
      });
    else
      for (const one of ofNumber) {
        const ids = speaksOfEnterprise(one) ? enterprises : [exemplar];
        await pairwise(ids, (id) => perform(one, one.guide, id));
      }
    seconds.set(number, (performance.now() - begun) / 1000);
  }
  const start = async (guide: GuideName, side: string): Promise<void> => {
    for (const one of steps) if (one.guide === guide && one.kind === "service") await serve(one, side);
  };
  return { home, printed, seconds, run, stop, start };
}

const placeOf = ({ guide, step, line }: GuideStep): string => `docs/${guide}.md, step ${step}, line ${line}`;

const speaksOfEnterprise = (one: GuideStep): boolean =>
  new RegExp(`\\b${exemplar}\\b`).test(
    one.kind === "hand" ? `${one.path} ${one.to}` : ((one as { script?: string }).script ?? ""),
  );

/** What a child process says, as it comes. */
export function collect(child: ChildProcess): {
  out: string;
  err: string;
  says(text: string): Promise<void>;
} {
  const waiting: (() => void)[] = [];
  const output = {
    out: "",
    err: "",
    says: (text: string) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if ((output.out + output.err).includes(text)) resolve();
        };
        waiting.push(look);
        look();
      }),
  };
  child.stdout!.on("data", (data) => {
    output.out += data;
    for (const look of waiting) look();
  });
  child.stderr!.on("data", (data) => {
    output.err += data;
    for (const look of waiting) look();
  });
  return output;
}
