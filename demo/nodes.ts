import type { NodeEvent } from "../client-node/events.ts";
import { Service } from "./processes.ts";

/** Killed in the middle of neural training; comes back while it goes on. */
const killInNeuralRound = 10;
const roundsAway = 8;

export interface NodesOptions {
  /** Who is killed on the way and started again. */
  readonly victim: string;
  readonly folderOf: (id: string) => string;
  readonly say: (line: string) => void;
  readonly onEvent: (id: string, event: NodeEvent) => void;
}

/** The enterprises' node processes; one of them is killed on the way and started again. */
export class Nodes {
  readonly restarted: string[] = [];
  /** Rejects when a node ends that nobody ended. */
  readonly failed: Promise<never>;
  readonly #options: NodesOptions;
  readonly #services = new Map<string, Service>();
  readonly #fail: (reason: unknown) => void;
  #seen = "";
  #neuralRound = 0;
  #lastRound = 0;

  constructor(options: NodesOptions) {
    this.#options = options;
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    this.failed.catch(() => {});
    this.#fail = reject;
  }

  start(id: string): void {
    const { folderOf, onEvent } = this.#options;
    const service = new Service(id, ["node", "start", "--dir", folderOf(id), "--json"], (line) => {
      const event = JSON.parse(line) as NodeEvent;
      onEvent(id, event);
      if (event.type === "round") this.#onRound(id, event);
    });
    this.#services.set(id, service);
    service.failed().catch((reason) => {
      if (this.#services.get(id) === service) this.#fail(reason);
    });
  }

  async end(id: string, signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const service = this.#services.get(id);
    this.#services.delete(id);
    await service?.end(signal);
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#services.keys()].map((id) => this.end(id)));
  }

  #onRound(
    id: string,
    { algorithm, attempt, phase, round: number }: Extract<NodeEvent, { type: "round" }>,
  ): void {
    const { say, victim } = this.#options;
    const round = `${algorithm} round ${number}, attempt ${attempt}`;
    if (round !== this.#seen && phase === "contributing") {
      this.#seen = round;
      if (algorithm === "neural" && number !== this.#lastRound) this.#neuralRound++;
      this.#lastRound = number;
      if (algorithm !== "neural" || this.#neuralRound % 10 === 1) say(`study: ${round}`);
      if (this.#neuralRound === killInNeuralRound + roundsAway && !this.#services.has(victim))
        this.#bringBack();
    }
    const doomed = id === victim && this.#neuralRound === killInNeuralRound && this.restarted.length === 0;
    if (doomed && phase === "ready") this.#kill();
  }

  #kill(): void {
    const { say, victim } = this.#options;
    this.restarted.push(victim);
    say(`${victim}: KILLED (kill -9) while it submits and collects; the others go on`);
    void this.end(victim, "SIGKILL");
  }

  #bringBack(): void {
    const { say, victim } = this.#options;
    this.start(victim);
    say(`${victim}: started again; joins the next round, and its devices deliver what it missed`);
  }
}
