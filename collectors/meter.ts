import type { Collector, CollectorContext } from "./collector.ts";
import { decodeDigits } from "./dlt645.ts";
import { MeterChannel, MeterTimeout } from "./meter/channel.ts";
import type { MeterConfig, MeterRegister } from "./meter/config.ts";
import type { Reading } from "./reading.ts";
import { Backoff, type BackoffLimits, defaultBackoff } from "./runtime/backoff.ts";
import { duePolls, type Poll } from "./runtime/polling.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";

/** One meter, and when one that does not answer may be asked again. */
interface Meter {
  readonly address: string;
  readonly device: string;
  readonly backoff: Backoff;
  /** `Timer.elapsed` before which the meter is left alone, so that it does not hold up its neighbours. */
  asleepUntil: number;
}

interface RegisterPoll extends Poll {
  readonly meter: Meter;
  readonly register: MeterRegister;
}

/**
 * Polls the meters on one bus by DL/T 645-2007, one request at a time.
 *
 * The protocol has no source time: `time` is when the answer came. A refusal, a timeout or digits that are none
 * yield a reading of quality `bad` without a value.
 */
export function meterCollector(
  config: MeterConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const { transport } = config;
  const label = transport.kind === "serial" ? transport.path : `${transport.host}:${transport.port}`;
  const polls = planPolls(config, context.random, limits.backoff ?? defaultBackoff);
  return supervise(
    config.name ?? `meter ${label}`,
    context,
    { run: (link) => pollUntilLost(link, config, polls) },
    limits,
  );
}

function planPolls(config: MeterConfig, random: () => number, limits: BackoffLimits): RegisterPoll[] {
  return config.meters.flatMap(({ address, device, registers }) => {
    const backoff = new Backoff(limits, random);
    const meter = { address, device: device ?? address, backoff, asleepUntil: 0 };
    return registers.map((register) => ({ meter, register, every: register.every, due: 0 }));
  });
}

async function pollUntilLost(link: Link, config: MeterConfig, polls: readonly RegisterPoll[]): Promise<void> {
  const channel = await MeterChannel.open(config.transport, config.timeout, link.signal);
  const onStop = () => channel.destroy();
  link.signal.addEventListener("abort", onStop);
  try {
    for await (const [poll, now] of duePolls(polls, link.timer, link.signal)) {
      if (poll.meter.asleepUntil > now) continue;
      await ask(link, channel, poll, config);
      if (config.pause !== undefined) await link.timer.wait(config.pause, link.signal);
    }
  } finally {
    link.signal.removeEventListener("abort", onStop);
    channel.destroy();
  }
}

async function ask(
  link: Link,
  channel: MeterChannel,
  { meter, register }: RegisterPoll,
  config: MeterConfig,
): Promise<void> {
  const reading = (value: number | null, status: string): Reading => {
    const received = link.now();
    const { metric, unit } = register;
    const quality = value === null ? "bad" : "good";
    return {
      device: meter.device,
      metric,
      value,
      unit,
      time: received,
      received,
      quality,
      status,
      historical: false,
    };
  };
  try {
    const answer = await channel.read(meter.address, register.identifier, config.preambles);
    link.connected();
    meter.backoff.reset();
    if ("refused" in answer) {
      link.failed(new Error(`${meter.device}: ${answer.refused}`));
      return await link.emit([reading(null, answer.refused)]);
    }
    const [value, status] = digitsOf(answer.value, register);
    if (value === null) link.failed(new Error(`${meter.device}: ${status}`));
    await link.emit([reading(value, status)]);
  } catch (error) {
    if (link.signal.aborted) return;
    await link.emit([reading(null, (error as Error).message)]);
    if (!(error instanceof MeterTimeout)) throw error;
    meter.asleepUntil = link.timer.elapsed() + meter.backoff.next();
    // Over TCP a silent meter and a half-open line look the same, and what a gateway held back would come
    // late: the connection is made anew. A serial bus has nothing to make anew.
    if (config.transport.kind === "tcp") throw error;
    link.failed(error);
  }
}

function digitsOf(bytes: Buffer, register: MeterRegister): [number | null, string] {
  try {
    return [decodeDigits(bytes, register) * register.scale, "ok"];
  } catch (error) {
    return [null, (error as Error).message];
  }
}
