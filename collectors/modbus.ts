import type { Collector, CollectorContext } from "./collector.ts";
import { type Block, mergeReads } from "./modbus/blocks.ts";
import { ModbusChannel, ModbusException } from "./modbus/channel.ts";
import { type ModbusConfig, placeOf, type Register } from "./modbus/config.ts";
import { decode, type RegisterPlace, width } from "./modbus/registers.ts";
import type { Reading } from "./reading.ts";
import { Backoff, type BackoffLimits, defaultBackoff } from "./runtime/backoff.ts";
import { duePolls, type Poll } from "./runtime/polling.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";

type PlacedRegister = Register & RegisterPlace & { readonly count: number };

/** One unit, and when a unit that does not answer may be asked again. */
interface Unit {
  readonly id: number;
  readonly device: string;
  readonly backoff: Backoff;
  /** `Timer.elapsed` before which the unit is left alone, so that it does not hold up its neighbours. */
  asleepUntil: number;
}

/** Registers of one unit that are due together. */
interface UnitPoll extends Poll {
  readonly unit: Unit;
  blocks: Block<PlacedRegister>[];
}

const exceptions = { illegalAddress: 2, gatewayPath: 10, gatewayTarget: 11 } as const;

/**
 * Polls the units behind one Modbus connection.
 *
 * Modbus has no source time: `time` is when the answer came. A register that could not be read yields a
 * reading of quality `bad` without a value, so that a gap is never mistaken for a zero.
 */
export function modbusCollector(
  config: ModbusConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const { transport } = config;
  const label = transport.kind === "rtu" ? transport.path : `${transport.host}:${transport.port}`;
  const polls = planPolls(config, label, context.random, limits.backoff ?? defaultBackoff);
  return supervise(
    config.name ?? `modbus ${label}`,
    context,
    { run: (link) => pollUntilLost(link, config, polls) },
    limits,
  );
}

function planPolls(
  config: ModbusConfig,
  label: string,
  random: () => number,
  backoff: BackoffLimits,
): UnitPoll[] {
  return config.units.flatMap(({ unit: id, device, registers }) => {
    const unit = {
      id,
      device: device ?? `${label}/${id}`,
      backoff: new Backoff(backoff, random),
      asleepUntil: 0,
    };
    const byInterval = Map.groupBy(registers, (r) => r.every);
    return [...byInterval].map(([every, due]) => {
      const placed = due.map((r) => ({ ...r, ...placeOf(r), count: width(r.type, r.length) }));
      return { unit, every, blocks: mergeReads(placed, config.maxGap, config.maxRegisters), due: 0 };
    });
  });
}

async function pollUntilLost(link: Link, config: ModbusConfig, polls: readonly UnitPoll[]): Promise<void> {
  const channel = await ModbusChannel.open(config.transport, config.timeout, link.signal);
  const onStop = () => channel.destroy();
  link.signal.addEventListener("abort", onStop);
  try {
    for await (const [poll, now] of duePolls(polls, link.timer, link.signal)) {
      if (poll.unit.asleepUntil > now) continue;
      await readPoll(link, channel, poll, config);
    }
  } finally {
    link.signal.removeEventListener("abort", onStop);
    channel.destroy();
  }
}

async function readPoll(
  link: Link,
  channel: ModbusChannel,
  poll: UnitPoll,
  config: ModbusConfig,
): Promise<void> {
  const { unit } = poll;
  for (const block of [...poll.blocks]) {
    if (link.signal.aborted) return;
    try {
      const bytes = await channel.read(unit.id, block, block.count);
      link.connected();
      unit.backoff.reset();
      const received = link.now();
      await link.emit(
        block.items.map((register) => toReading(register, block, bytes, unit.device, received)),
      );
    } catch (error) {
      if (link.signal.aborted) return;
      const received = link.now();
      const status = (error as Error).message;
      await link.emit(block.items.map((register) => absentReading(register, unit.device, received, status)));
      if (!(error instanceof ModbusException)) {
        unit.asleepUntil = link.timer.elapsed() + unit.backoff.next();
        if (config.transport.kind === "rtu") await silence(link, channel, config.timeout);
        throw error;
      }
      link.connected();
      link.failed(error);
      if (error.code === exceptions.gatewayPath || error.code === exceptions.gatewayTarget) {
        unit.asleepUntil = link.timer.elapsed() + unit.backoff.next();
        return;
      }
      if (error.code === exceptions.illegalAddress && block.items.length > 1) splitBlock(poll, block);
    }
    if (config.pause !== undefined) await link.timer.wait(config.pause, link.signal);
  }
}

/** A bus cannot be cut like a socket: a late answer runs out into the closed port before the next request. */
async function silence(link: Link, channel: ModbusChannel, milliseconds: number): Promise<void> {
  channel.destroy();
  await link.timer.wait(milliseconds, link.signal);
}

/** The device refuses a merged read, most often for a hole in it: from now on each register is asked alone. */
function splitBlock(poll: UnitPoll, block: Block<PlacedRegister>): void {
  const alone = block.items.map((item) => ({
    table: item.table,
    address: item.address,
    count: item.count,
    items: [item],
  }));
  poll.blocks = poll.blocks.flatMap((b) => (b === block ? alone : [b]));
}

function toReading(
  register: PlacedRegister,
  block: Block<PlacedRegister>,
  bytes: Uint8Array,
  device: string,
  received: number,
): Reading {
  const at = register.address - block.address;
  const bitTable = register.table === "coil" || register.table === "discrete";
  const raw = bitTable
    ? ((bytes[at >> 3]! >> (at & 7)) & 1) === 1
    : decode(bytes.subarray(2 * at, 2 * (at + register.count)), register);
  if (typeof raw === "number" && !Number.isFinite(raw))
    return absentReading(register, device, received, `${raw}`);
  if (typeof raw !== "string" && typeof raw !== "boolean" && register.absent.includes(Number(raw)))
    return absentReading(register, device, received, "absent");
  const exact = typeof raw !== "bigint" || (raw >= Number.MIN_SAFE_INTEGER && raw <= Number.MAX_SAFE_INTEGER);
  return {
    device,
    metric: register.metric,
    value:
      typeof raw === "number" || typeof raw === "bigint"
        ? Number(raw) * register.scale + register.offset
        : raw,
    unit: register.unit,
    time: received,
    received,
    quality: exact ? "good" : "uncertain",
    status: exact ? "ok" : "beyond 2^53: rounded",
    historical: false,
  };
}

const absentReading = (register: Register, device: string, received: number, status: string): Reading => ({
  device,
  metric: register.metric,
  value: null,
  unit: register.unit,
  time: received,
  received,
  quality: "bad",
  status,
  historical: false,
});
