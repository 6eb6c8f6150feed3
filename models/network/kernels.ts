/**
 * Three WebAssembly functions that work on four float32 numbers at a time; JavaScript has no such
 * instructions. They are assembled here, from the text below, so that what runs is what is read.
 *
 * Its sums are in the same order on every machine: results are bit-equal everywhere.
 */

/** Addresses, lengths and strides are in bytes. */
export interface Kernels {
  /** Adds a·b to c. */
  readonly multiplyAdd: MultiplyAdd;
  /** x ← max(x, 0); `length` a multiple of 16. */
  readonly rectify: (x: number, length: number) => void;
  /** x ← 0 where not y > 0; `length` a multiple of 16. */
  readonly clearWhereInactive: (x: number, y: number, length: number) => void;
}

type MultiplyAdd = (
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

// multiplyAdd: parameters, then locals. @see WebAssembly Core Specification 2.0, 5.4 (instructions), 5.5 (modules)
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

const multiplyAddBody = [
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

const zeroVector = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
const vectorMaximum = [0xfd, 0xe9, 0x01];
const vectorGreater = [0xfd, 0x44];
const vectorAnd = [0xfd, 0x4e];

const rectifyBody = [
  ...repeatWhile([
    ...[...get(0), ...get(0), ...loadVector(0), ...zeroVector, ...vectorMaximum, ...storeVector(0)],
    ...advance(0, constant(16)),
    ...countDown(1, 16),
  ]),
  0x0b,
];

const clearBody = [
  ...repeatWhile([
    ...[...get(0), ...get(0), ...loadVector(0)],
    ...[...get(1), ...loadVector(0), ...zeroVector, ...vectorGreater, ...vectorAnd, ...storeVector(0)],
    ...[...advance(0, constant(16)), ...advance(1, constant(16))],
    ...countDown(2, 16),
  ]),
  0x0b,
];

const i32 = 0x7f;
const v128 = 0x7b;
const functions = [
  { name: "multiplyAdd", parameters: 8, locals: [2, 8, i32, 11, v128], body: multiplyAddBody },
  { name: "rectify", parameters: 2, locals: [0], body: rectifyBody },
  { name: "clearWhereInactive", parameters: 3, locals: [0], body: clearBody },
];

const size = (length: number) => [(length & 0x7f) | 0x80, length >> 7];
const vector = (items: readonly (readonly number[])[]) => [items.length, ...items.flat()];
const section = (id: number, content: readonly number[]) => [id, ...size(content.length), ...content];
const text = (word: string) => [word.length, ...Buffer.from(word)];

const binary = Uint8Array.from([
  ...Buffer.from("\0asm"),
  ...[1, 0, 0, 0],
  ...section(
    1,
    vector(
      functions.map(({ parameters }) => [0x60, parameters, ...new Array<number>(parameters).fill(i32), 0]),
    ),
  ),
  ...section(2, vector([[...text("js"), ...text("memory"), 2, 0, 1]])),
  ...section(3, vector(functions.map((_, i) => [i]))),
  ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0, i]))),
  ...section(
    10,
    vector(functions.map(({ locals, body }) => [...size(locals.length + body.length), ...locals, ...body])),
  ),
]);

let compiled: WebAssembly.Module | undefined;

/** @returns the functions, working on `memory`. */
export function kernelsOn(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(binary);
  return new WebAssembly.Instance(compiled, { js: { memory } }).exports as unknown as Kernels;
}
