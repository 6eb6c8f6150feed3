import type { Logger } from "pino";
import type { CoordinatorConfig } from "./config.ts";

/** Places a test may end the process at; production passes none. */
export type CrashPoint =
  | "attempt-opened"
  | "submitted"
  | "aggregate-stored"
  | "sum-released"
  | "state-advanced"
  | "model-published";

export interface CoordinatorOptions {
  readonly config: CoordinatorConfig;
  readonly log: Logger;
  /** Unix milliseconds; Date.now unless told otherwise. */
  readonly now?: () => number;
  /** Called right after the named step is durable; a throw ends the runtime as kill -9 would. */
  readonly onCrashPoint?: (point: CrashPoint) => void;
}

export interface RunningCoordinator {
  /** host:port for enterprises, operator and auditor. */
  readonly address: string;
  /** host:port for enrolment. */
  readonly enrolmentAddress: string;
  /** Stops taking new work, waits for calls under way, closes database and threads. */
  stop(): Promise<void>;
}

/**
 * Runs a coordinator in this process.
 * @throws Refusal port_taken, database_unavailable, database_version, file_missing, config_invalid
 */
export async function startCoordinator(_options: CoordinatorOptions): Promise<RunningCoordinator> {
  throw new Error("not written");
}
