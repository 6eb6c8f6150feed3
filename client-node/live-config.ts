import { setTimeout as delay } from "node:timers/promises";
import { Refusal } from "../core/reasons.ts";
import { readText } from "../core/yaml.ts";
import { type NodeConfig, readNodeConfig } from "./config.ts";
import type { NodeEvent } from "./events.ts";
import { configFile } from "./init.ts";
import type { Operations, Trouble } from "./operations/operations.ts";
import { sitesSchema } from "./operations/sites.ts";

export interface FollowOptions {
  /** The node's folder. */
  readonly dir: string;
  /** What the node runs with now. */
  readonly config: NodeConfig;
  readonly operations: Pick<Operations, "reconfigure" | "refuseConfiguration">;
  readonly onEvent: (event: NodeEvent) => void;
  /** Between two looks, milliseconds; a change is taken when two looks in a row see the same. */
  readonly lookMillis?: number;
}

/** What is taken while the node runs; everything else waits for its next start. */
const live: ReadonlySet<string> = new Set(["collectors", ...Object.keys(sitesSchema.shape)]);

/**
 * Reads node.yaml again when it changes. What changed of collectors and sites is taken, a file that will not work is
 * not: the node goes on with what it had, and says so.
 */
export function followConfig(options: FollowOptions): { stop(): Promise<void> } {
  const { dir, operations, onEvent, lookMillis = 1000 } = options;
  const file = configFile(dir);
  const ending = new AbortController();
  const begun: Readonly<Record<string, unknown>> = options.config;
  /** The configuration that runs, as text. */
  let running = JSON.stringify(options.config);
  /** What the file held when it was last looked at, and when it was last judged; undefined where it cannot be read. */
  let seen: string | undefined = "";
  let judged: string | undefined = "";

  const waitingKeys = (next: NodeConfig): string[] =>
    [...new Set([...Object.keys(begun), ...Object.keys(next)])].filter(
      (key) => !live.has(key) && JSON.stringify(begun[key]) !== JSON.stringify(next[key as keyof NodeConfig]),
    );
  const waitingTrouble = (next: NodeConfig): Trouble | undefined => {
    const keys = waitingKeys(next);
    if (keys.length === 0) return undefined;
    const hint = "this part is taken at the node's next start";
    const about = { kind: "configuration changed", keys: keys.join(", ") } as const;
    return { what: `node.yaml was changed in ${about.keys}`, hint, readings: 0, about };
  };
  const judge = async (text: string | undefined): Promise<void> => {
    try {
      // What was looked at is what is taken, whatever the file says by now.
      const next = readNodeConfig(file, text);
      if (JSON.stringify(next) === running) return operations.refuseConfiguration(waitingTrouble(next));
      await operations.reconfigure({ collectors: next.collectors ?? [], sites: next });
      running = JSON.stringify(next);
      operations.refuseConfiguration(waitingTrouble(next));
      const waiting = waitingKeys(next);
      onEvent({ type: "configured", waiting });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      operations.refuseConfiguration({
        what: `node.yaml is not taken: ${error.message}`,
        hint: `the node runs with the one before; fedcredit node check --dir ${dir} says all that is wrong`,
        readings: 0,
        about: { kind: "configuration refused", cause: error.message },
      });
      onEvent({ type: "configuration refused", reason: error.reason, message: error.message });
    }
  };
  const follow = async (): Promise<void> => {
    for (;;) {
      await delay(lookMillis, undefined, { signal: ending.signal }).catch(() => {});
      if (ending.signal.aborted) return;
      const text = look(file);
      // An editor may be in the middle of writing: what two looks see is whole.
      const isSettled = text === seen;
      seen = text;
      if (!isSettled || text === judged) continue;
      judged = text;
      await judge(text);
    }
  };
  const following = follow();
  return {
    async stop() {
      ending.abort();
      await following;
    },
  };
}

/** @returns undefined while the file cannot be read: an editor may be replacing it. */
function look(file: string): string | undefined {
  try {
    return readText(file);
  } catch {
    return undefined;
  }
}
