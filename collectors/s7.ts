import { Refusal } from "../core/reasons.ts";
import type { Collector, CollectorContext } from "./collector.ts";
import type { Reading } from "./reading.ts";
import { duePolls } from "./runtime/polling.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";
import { S7Channel } from "./s7/channel.ts";
import { decodeTag, type S7Config, type Tag } from "./s7/config.ts";
import { type Place, S7Error } from "./s7/protocol.ts";

/** Tags that one request reads. */
interface Block extends Place {
  readonly tags: readonly Tag[];
}

/**
 * Polls one controller.
 *
 * The protocol has no source time: `time` is when the answer came. What the controller does not give is a reading of
 * quality `bad` without a value.
 */
export function s7Collector(
  config: S7Config,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const name = config.name ?? `s7 ${config.host}:${config.port}`;
  return supervise(name, context, { run: (link) => pollUntilLost(link, config) }, limits);
}

async function pollUntilLost(link: Link, config: S7Config): Promise<void> {
  const channel = await S7Channel.open(config, link.signal);
  try {
    link.connected();
    const polls = [...Map.groupBy(config.tags, ({ every }) => every)].map(([every, tags]) => ({
      every,
      due: link.timer.elapsed(),
      blocks: merge(tags, config.maxGap, channel.mostBytes),
    }));
    for await (const [{ blocks }] of duePolls(polls, link.timer, link.signal))
      for (const block of blocks) await link.emit(await read(link, channel, config, block));
  } catch (error) {
    if (!link.signal.aborted) throw error;
  } finally {
    channel.destroy();
  }
}

async function read(link: Link, channel: S7Channel, config: S7Config, block: Block): Promise<Reading[]> {
  let bytes: Buffer | undefined;
  let status = "ok";
  try {
    bytes = await channel.read(block);
  } catch (error) {
    // The controller's own word; anything else means that the line is not to be trusted.
    if (!(error instanceof S7Error)) throw error;
    if (block.tags.length > 1) return await readApart(link, channel, config, block);
    link.failed(new Error(`${nameOf(block)}: ${error.message}`));
    status = error.message;
  }
  const received = link.now();
  return block.tags.map((tag) => {
    const value = bytes === undefined ? null : scaled(tag, decodeTag(tag, bytes, block.start));
    const good = value !== null && (typeof value === "boolean" || Number.isFinite(value));
    return {
      device: tag.device ?? config.device,
      metric: tag.metric,
      unit: tag.unit,
      value: good ? value : null,
      time: received,
      received,
      quality: good ? "good" : "bad",
      status: bytes !== undefined && !good ? String(value) : status,
      historical: false,
    };
  });
}

/** One address that is not there must not cost its neighbours. */
async function readApart(link: Link, channel: S7Channel, config: S7Config, block: Block): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const tag of block.tags)
    readings.push(...(await read(link, channel, config, { ...tag, tags: [tag] })));
  return readings;
}

const scaled = ({ scale, offset }: Tag, raw: number | boolean): number | boolean =>
  typeof raw === "boolean" ? raw : raw * scale + offset;

const nameOf = ({ area, db, start }: Place): string =>
  area === "DB" ? `DB${db} byte ${start}` : `${area}${start}`;

/** @returns blocks that hold each tag once, none longer than one answer. */
export function merge(tags: readonly Tag[], maxGap: number, mostBytes: number): Block[] {
  const sorted = [...tags].sort((a, b) => a.area.localeCompare(b.area) || a.db - b.db || a.start - b.start);
  const blocks: { area: Tag["area"]; db: number; start: number; bytes: number; tags: Tag[] }[] = [];
  for (const tag of sorted) {
    if (tag.bytes > mostBytes) throw new Refusal("message_malformed", `PDU too short for ${tag.bytes} bytes`);
    const last = blocks.at(-1);
    const end = tag.start + tag.bytes;
    if (
      last?.area === tag.area &&
      last.db === tag.db &&
      tag.start - (last.start + last.bytes) <= maxGap &&
      end - last.start <= mostBytes
    ) {
      last.bytes = Math.max(last.bytes, end - last.start);
      last.tags.push(tag);
    } else blocks.push({ area: tag.area, db: tag.db, start: tag.start, bytes: tag.bytes, tags: [tag] });
  }
  return blocks;
}
