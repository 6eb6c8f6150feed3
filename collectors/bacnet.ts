import type { BacnetConfig, BacnetObject } from "./bacnet/config.ts";
import { BacnetLine } from "./bacnet/line.ts";
import { type Answer, property, type Value } from "./bacnet/protocol.ts";
import type { Collector, CollectorContext } from "./collector.ts";
import type { Reading } from "./reading.ts";
import { Backoff, type BackoffLimits, defaultBackoff } from "./runtime/backoff.ts";
import { duePolls } from "./runtime/polling.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";

type Device = BacnetConfig["devices"][number];

/**
 * Polls BACnet/IP controllers, each by itself: present value and status flags.
 *
 * The protocol has no source time: `time` is when the answer came. What is not answered, or answered with an error, is
 * a reading of quality `bad` without a value. An answer is believed where address, number, object and property are
 * those asked for.
 */
export function bacnetCollector(
  config: BacnetConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const name = config.name ?? `bacnet ${config.devices[0]!.host}`;
  const backoff = limits.backoff ?? defaultBackoff;
  return supervise(
    name,
    context,
    {
      async run(link) {
        const stop = new AbortController();
        const own = { ...link, signal: AbortSignal.any([link.signal, stop.signal]) };
        const polling = config.devices.map((device) =>
          new Controller(own, config, device, context.random, backoff).poll(),
        );
        try {
          await Promise.all(polling);
        } finally {
          stop.abort();
          await Promise.allSettled(polling);
        }
      },
    },
    limits,
  );
}

class Controller {
  readonly #link: Link;
  readonly #device: Device;
  readonly #timeoutMillis: number;
  readonly #backoff: Backoff;
  #line!: BacnetLine;
  /** Objects that have no status flags. */
  readonly #plain = new Set<BacnetObject>();

  constructor(
    link: Link,
    config: BacnetConfig,
    device: Device,
    random: () => number,
    backoff: BackoffLimits,
  ) {
    this.#link = link;
    this.#device = device;
    this.#timeoutMillis = config.timeout;
    this.#backoff = new Backoff(backoff, random);
  }

  async poll(): Promise<void> {
    const { host, port } = this.#device;
    const { signal, timer } = this.#link;
    const timeoutMillis = this.#timeoutMillis;
    const onNoise = (error: unknown): void => this.#link.failed(error);
    this.#line = await BacnetLine.open(host, port, { timeoutMillis, timer, signal, onNoise });
    try {
      if (!signal.aborted) await this.#pollAll();
    } finally {
      this.#line.close();
    }
  }

  async #pollAll(): Promise<void> {
    const { signal, timer } = this.#link;
    const polls = this.#device.objects.map((object) => ({ object, every: object.every, due: 0 }));
    for await (const [{ object }] of duePolls(polls, timer, signal)) await this.#read(object);
  }

  async #read(object: BacnetObject): Promise<void> {
    const answer = await this.#line.ask(object.object, property.presentValue);
    if (this.#link.signal.aborted) return;
    if (answer === undefined) {
      this.#link.failed(new Error(`${this.#device.device}: timeout`));
      await this.#tell(object, null, "bad", "timeout");
      // It is left alone for a while; its neighbours have sockets of their own.
      return this.#link.timer.wait(this.#backoff.next(), this.#link.signal);
    }
    this.#link.connected();
    this.#backoff.reset();
    if ("failed" in answer) {
      this.#link.failed(new Error(`${this.#device.device}: ${answer.failed}`));
      return this.#tell(object, null, "bad", answer.failed);
    }
    const flags = this.#plain.has(object)
      ? undefined
      : await this.#line.ask(object.object, property.statusFlags);
    if (flags !== undefined && "failed" in flags) this.#plain.add(object);
    const [quality, status] = judged(flags);
    const { value } = answer;
    if (typeof value === "number" && Number.isFinite(value))
      return this.#tell(object, value * object.scale, quality, status);
    if (typeof value === "boolean") return this.#tell(object, value, quality, status);
    return this.#tell(object, null, "bad", typeof value === "number" ? String(value) : "no number");
  }

  async #tell(
    { metric, unit }: BacnetObject,
    value: number | boolean | null,
    quality: Reading["quality"],
    status: string,
  ): Promise<void> {
    const received = this.#link.now();
    const { device } = this.#device;
    await this.#link.emit([
      { device, metric, unit, value, quality, status, time: received, received, historical: false },
    ]);
  }
}

/** In alarm, fault, overridden, out of service. @see ASHRAE 135-2020, BACnetStatusFlags */
function judged(flags: Answer | undefined): [Reading["quality"], string] {
  if (flags === undefined || "failed" in flags || !isBits(flags.value)) return ["good", "ok"];
  const [alarm, fault, overridden, outOfService] = flags.value;
  if (fault) return ["bad", "fault"];
  if (outOfService) return ["bad", "out of service"];
  if (overridden) return ["uncertain", "overridden"];
  return ["good", alarm ? "in alarm" : "ok"];
}

const isBits = (value: Value): value is readonly boolean[] => Array.isArray(value);
