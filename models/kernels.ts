/**
 * One WebAssembly function that multiplies float32 matrices four numbers at a time; JavaScript has no such
 * instructions. It is assembled here, from the text below, so that what runs is what is read.
 *
 * Its sums are in the same order on every machine: results are bit-equal everywhere.
 */

/** Adds a·b to c. Addresses and strides are in bytes. */
export type MultiplyAdd = (
  /** [m, n] row-major; m a multiple of 4, n of 8. */
  c: number,
  /** [m, k]: entry (i, t) is at a + i · aRow + t · aColumn. */
  a: number,
  /** [k, n] row-major. */
  b: number,
  m: number,
  k: number,
  aRow: number,
  aColumn: number,
  /** Bytes of a row of b and of c, 4n. */
  width: number,
) => void;

/** m must be a multiple of it: rows of c that are summed at once. */
export const rowBlock = 4;
/** n must be a multiple of it. */
export const columnBlock = 8;

// Parameters, then locals. @see WebAssembly Core Specification 2.0, 5.4 (instructions), 5.5 (modules)
const [c, a, b, m, k, aRow, aColumn, width] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const [column, t, pb, pc] = [8, 9, 10, 11] as const;
const rowPointers = [12, 13, 14, 15] as const;
const sums = [
  [16, 17],
  [18, 19],
  [20, 21],
  [22, 23],
] as const;
const [b0, b1, x] = [24, 25, 26] as const;

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const constant = (value: number) => [0x41, value];
const add = [0x6a];
const subtract = [0x6b];
const lessThan = [0x49];
const vectorAdd = [0xfd, 0xe4, 0x01];
const vectorMultiply = [0xfd, 0xe6, 0x01];
const loadVector = (offset: number) => [0xfd, 0x00, 2, offset];
const loadSplat = [0xfd, 0x09, 2, 0];
const storeVector = (offset: number) => [0xfd, 0x0b, 2, offset];
const advance = (pointer: number, by: readonly number[]) => [...get(pointer), ...by, ...add, ...set(pointer)];
const countDown = (counter: number, by: number) => [
  ...get(counter),
  ...constant(by),
  ...subtract,
  0x22,
  counter,
];
/** Repeats `body` while the number that it leaves on the stack is not 0. */
const repeatWhile = (body: readonly number[]) => [0x03, 0x40, ...body, 0x0d, 0, 0x0b];

const multiplyBlock = [
  ...get(c),
  ...get(column),
  ...add,
  ...set(pc),
  ...sums.flatMap(([left, right]) => [
    ...[...get(pc), ...loadVector(0), ...set(left)],
    ...[...get(pc), ...loadVector(16), ...set(right)],
    ...advance(pc, get(width)),
  ]),
  ...get(a),
  ...set(rowPointers[0]),
  ...rowPointers
    .slice(1)
    .flatMap((pointer, i) => [...get(rowPointers[i]!), ...get(aRow), ...add, ...set(pointer)]),
  ...[...get(b), ...get(column), ...add, ...set(pb)],
  ...[...get(k), ...set(t)],
  ...repeatWhile([
    ...[...get(pb), ...loadVector(0), ...set(b0)],
    ...[...get(pb), ...loadVector(16), ...set(b1)],
    ...sums.flatMap(([left, right], row) => [
      ...[...get(rowPointers[row]!), ...loadSplat, ...set(x)],
      ...[...get(left), ...get(x), ...get(b0), ...vectorMultiply, ...vectorAdd, ...set(left)],
      ...[...get(right), ...get(x), ...get(b1), ...vectorMultiply, ...vectorAdd, ...set(right)],
      ...advance(rowPointers[row]!, get(aColumn)),
    ]),
    ...advance(pb, get(width)),
    ...countDown(t, 1),
  ]),
  ...[...get(c), ...get(column), ...add, ...set(pc)],
  ...sums.flatMap(([left, right]) => [
    ...[...get(pc), ...get(left), ...storeVector(0)],
    ...[...get(pc), ...get(right), ...storeVector(16)],
    ...advance(pc, get(width)),
  ]),
];

const body = [
  ...repeatWhile([
    ...[...constant(0), ...set(column)],
    ...repeatWhile([
      ...multiplyBlock,
      ...advance(column, constant(4 * columnBlock)),
      ...[...get(column), ...get(width), ...lessThan],
    ]),
    ...sums.flatMap(() => [...advance(a, get(aRow)), ...advance(c, get(width))]),
    ...countDown(m, rowBlock),
  ]),
  0x0b,
];

const size = (length: number) => [(length & 0x7f) | 0x80, length >> 7];
const section = (id: number, content: readonly number[]) => [id, ...size(content.length), ...content];
const text = (word: string) => [word.length, ...Buffer.from(word)];
const i32 = 0x7f;
const v128 = 0x7b;
const code = [2, 8, i32, 11, v128, ...body];

const binary = Uint8Array.from([
  ...Buffer.from("\0asm"),
  ...[1, 0, 0, 0],
  ...section(1, [1, 0x60, 8, ...new Array<number>(8).fill(i32), 0]),
  ...section(2, [1, ...text("js"), ...text("memory"), 2, 0, 1]),
  ...section(3, [1, 0]),
  ...section(7, [1, ...text("multiplyAdd"), 0, 0]),
  ...section(10, [1, ...size(code.length), ...code]),
]);

let compiled: WebAssembly.Module | undefined;

/** @returns the function, working on `memory`. */
export function multiplyAddOn(memory: WebAssembly.Memory): MultiplyAdd {
  compiled ??= new WebAssembly.Module(binary);
  const { exports } = new WebAssembly.Instance(compiled, { js: { memory } });
  return exports.multiplyAdd as MultiplyAdd;
}
