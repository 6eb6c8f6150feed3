/** Changes to a valid input: of its bytes, of its lines, of the value that its JSON says. */
import { canonicalJson, isCanonicalText } from "../../core/canonical.ts";
import { type Random, uniformInteger } from "../../core/random.ts";

export type Form = "bytes" | "text" | "json";

const oneOf = <T>(items: readonly T[], random: Random): T => items[uniformInteger(random, items.length)]!;

/** @param others - further valid inputs, to take pieces of. */
export function mutate(
  seed: Uint8Array,
  form: Form,
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  const way = uniformInteger(random, 8);
  if (form === "json" && way >= 2) return ofJson(seed, random);
  if (form === "text" && way >= 4) return ofLines(seed, random);
  return ofBytes(seed, others, random);
}

const telling = [0, 1, 0x0a, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0xc0, 0xed, 0xfe, 0xff];

function ofBytes(seed: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = Buffer.from(seed);
  const place = (): number => uniformInteger(random, bytes.length + 1);
  for (let n = 1 + uniformInteger(random, 3); n > 0; n--) {
    const at = place();
    const length = 1 + uniformInteger(random, 16);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (uniformInteger(random, 7)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << uniformInteger(random, 8);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = oneOf(telling, random);
        break;
      case 2:
        bytes = Buffer.concat([before, random.bytes(length), after]);
        break;
      case 3:
        bytes = Buffer.concat([before, after.subarray(length)]);
        break;
      case 4:
        bytes = Buffer.concat([before, after.subarray(0, length), after]);
        break;
      case 5:
        bytes = Buffer.from(before);
        break;
      case 6: {
        const other = Buffer.from(oneOf(others, random));
        const from = uniformInteger(random, other.length + 1);
        bytes = Buffer.concat([before, other.subarray(from, from + 8 * length), after]);
      }
    }
  }
  return bytes;
}

function ofLines(seed: Uint8Array, random: Random): Uint8Array {
  const lines = Buffer.from(seed).toString("utf8").split("\n");
  const at = uniformInteger(random, lines.length);
  const line = lines[at]!;
  switch (uniformInteger(random, 6)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, line);
      break;
    case 2:
      lines[at] = oneOf(lines, random);
      break;
    case 3:
      lines[at] = line.replace(/\d+/, oneOf(["-1", "0", "1e999", "9007199254740993", "١"], random));
      break;
    case 4:
      lines[at] = `${line} ${oneOf(texts, random)}`;
      break;
    case 5:
      lines[at] = line.replace(/[^\s]+$/, oneOf(texts, random));
  }
  return Buffer.from(lines.join("\n"));
}

const texts = [
  "",
  " ",
  "\ud800",
  "__proto__",
  "constructor",
  "a".repeat(5000),
  "=".repeat(7),
  "\u0000",
  "&a [*a]",
  "../../x",
  "é\u0301",
];

/** Stands for brackets within brackets, deeper than a function may call itself. */
const deep = "@deep@";
const brackets = "[".repeat(20_000) + "]".repeat(20_000);

const values: readonly (() => unknown)[] = [
  ...[null, true, 0, -1, 0.5, 1e308, 2 ** 53, -(2 ** 31), 1e-320].map((value) => () => value),
  ...texts.map((text) => () => text),
  () => [],
  () => ({}),
  () => deep,
  () => ({ a: [{ b: [[[{}]]] }] }),
  () => Array.from({ length: 300 }, (_, i) => i),
];

type Place = { readonly holder: Record<string, unknown>; readonly key: string };

function placesIn(value: unknown, places: Place[] = []): Place[] {
  if (typeof value === "object" && value !== null)
    for (const key of Object.keys(value)) {
      const holder = value as Record<string, unknown>;
      places.push({ holder, key });
      placesIn(holder[key], places);
    }
  return places;
}

function ofJson(seed: Uint8Array, random: Random): Uint8Array {
  const root = { value: JSON.parse(Buffer.from(seed).toString("utf8")) as unknown };
  for (let n = 1 + uniformInteger(random, 2); n > 0; n--) {
    const { holder, key } = oneOf(placesIn(root), random);
    const now = holder[key];
    switch (uniformInteger(random, 6)) {
      case 0:
        if (Array.isArray(holder)) holder.splice(Number(key), 1);
        else if (holder !== root) delete holder[key];
        break;
      case 1:
        if (Array.isArray(holder)) holder.push(structuredClone(now));
        else holder[oneOf(texts, random) || key] = structuredClone(now);
        break;
      case 2: {
        const from = oneOf(placesIn(root), random);
        holder[key] = structuredClone(from.holder[from.key]);
        break;
      }
      case 3:
        if (typeof now === "number") holder[key] = now + oneOf([-1, 1, 2 ** 32, 1e15], random);
        else if (typeof now === "string") holder[key] = now.slice(0, -1) + oneOf(texts, random);
        break;
      default:
        holder[key] = oneOf(values, random)();
    }
  }
  return Buffer.from(jsonText(root.value).replaceAll(JSON.stringify(deep), brackets));
}

/** Canonical where it can be: parsers ask for that. */
function jsonText(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  try {
    return isCanonicalText(text, value) ? text : canonicalJson(value);
  } catch {
    return text;
  }
}
