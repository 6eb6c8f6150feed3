import { type Cell, isMissing, numberOf, textOf } from "../../core/cell.ts";
import type { Random } from "../../core/random.ts";
import { seededRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { type DesensitizationKeys, keyedDigest } from "./keys.ts";
import { binMiddle, encryptFormatPreserving, maskText, pseudonym, topBottomCode } from "./operators.ts";
import { type Field, type FieldOf, helpersOf, outputOf } from "./policy.ts";
import {
  addPlanarLaplace,
  DailyBudget,
  geohashMiddle,
  h3Middle,
  type Position,
  positionOf,
} from "./position.ts";
import { shiftDate, subjectShiftDays, truncateTime } from "./time.ts";

/** One source of records: where its columns stand. */
export interface Header {
  /** For messages. */
  readonly name: string;
  /** @throws Refusal column_unknown */
  at(column: string): number;
}

/** From a record's cells to what passes of one column. @throws Refusal cell_malformed, without the cell's value */
export type TakeCell = (cells: readonly Cell[], line: number) => Cell;

/** Lets cells pass as an enterprise's policy says, one record at a time. */
export class Desensitizer {
  readonly #fields: ReadonlyMap<string, Field>;
  readonly #keys: DesensitizationKeys;
  /** Both coordinates of a noisy position come from one draw. */
  readonly #positions = new Map<string, NoisyPositions>();

  constructor(fields: readonly Field[], keys: DesensitizationKeys) {
    this.#fields = new Map(fields.map((field) => [field.name, field]));
    this.#keys = keys;
  }

  /** @returns the column's line. @throws Refusal policy_refuses, where there is none or it lets nothing pass. */
  lineOf(column: string): Field {
    const field = this.#fields.get(column);
    if (field === undefined)
      throw new Refusal("policy_refuses", `column "${column}" has no line in the policy`);
    if (field.operator === "drop")
      throw new Refusal("policy_refuses", `column "${column}" is dropped by the policy`);
    return field;
  }

  /** @returns the columns to be read for one. @throws Refusal as {@link lineOf} */
  reads = (column: string): readonly string[] => [column, ...helpersOf(this.lineOf(column))];

  /** @throws Refusal as {@link lineOf}; column_unknown */
  take = (column: string, header: Header): TakeCell => {
    const field = this.lineOf(column);
    const take = this.#operation(field, header);
    if (outputOf(field) === "same") return take;
    return (cells, line) => {
      try {
        return take(cells);
      } catch (error) {
        if (!(error instanceof Refusal && error.reason === "cell_malformed")) throw error;
        throw new Refusal("cell_malformed", `${header.name}:${line}: column "${column}": ${error.message}`);
      }
    };
  };

  #operation(field: Field, { at }: Header): (cells: readonly Cell[]) => Cell {
    const here = at(field.name);
    /** Missing stays missing: an operator works on what is there. */
    const onText = (work: (text: string) => Cell) => (cells: readonly Cell[]) => {
      const text = textOf(cells[here]);
      return isMissing(text) ? "" : work(text);
    };
    const onNumber = (work: (x: number) => number) => (cells: readonly Cell[]) => {
      const x = requireNumber(cells[here]);
      return Number.isNaN(x) ? "" : work(x);
    };
    switch (field.operator) {
      case "drop":
        throw new RangeError("a dropped column has no operation");
      case "keep":
      case "aggregate-only":
        return (cells) => cells[here];
      case "pseudonym": {
        const key = this.#keys.key(field.operator, field.rotationDays);
        return onText((text) => pseudonym(text, field.name, key));
      }
      case "format-preserving": {
        const key = this.#keys.key(field.operator, field.rotationDays);
        const tweak = Buffer.from(field.name, "utf8");
        return onText((text) => encryptFormatPreserving(text, field.alphabet, key, tweak));
      }
      case "mask":
        return onText((text) => maskText(text, field.keepFirst, field.keepLast));
      case "bins":
        return onNumber((x) => binMiddle(x, field.origin, field.width));
      case "top-bottom-code":
        return onNumber((x) => topBottomCode(x, field.low, field.high));
      case "truncate-time":
        return onText((text) => truncateTime(text, field.unit));
      case "date-shift": {
        const key = this.#keys.key(field.operator, field.rotationDays);
        const subjectAt = at(field.subject);
        return (cells) =>
          onText((text) =>
            shiftDate(text, subjectShiftDays(requireText(cells[subjectAt], "subject"), field.maxDays, key)),
          )(cells);
      }
      case "geohash":
        return this.#place(field, at, (position) => geohashMiddle(position, field.digits));
      case "h3":
        return this.#place(field, at, (position) => h3Middle(position, field.resolution));
      case "planar-laplace": {
        const noisy = this.#noisyPositions(field);
        const [subjectAt, timeAt] = [at(field.subject), at(field.time)];
        return this.#place(field, at, (position, cells) =>
          noisy.of(
            cells,
            position,
            requireText(cells[subjectAt], "subject"),
            truncateTime(requireText(cells[timeAt], "time"), "day"),
          ),
        );
      }
    }
  }

  #place(
    { name, pair, axis }: FieldOf<"geohash" | "h3" | "planar-laplace">,
    at: Header["at"],
    move: (position: Position, cells: readonly Cell[]) => Position | undefined,
  ): (cells: readonly Cell[]) => Cell {
    const [latitudeAt, longitudeAt] = axis === "latitude" ? [at(name), at(pair)] : [at(pair), at(name)];
    return (cells) => {
      const latitude = requireNumber(cells[latitudeAt]);
      const longitude = requireNumber(cells[longitudeAt]);
      if (Number.isNaN(latitude) || Number.isNaN(longitude)) return "";
      return move(positionOf(latitude, longitude), cells)?.[axis] ?? "";
    };
  }

  #noisyPositions(field: FieldOf<"planar-laplace">): NoisyPositions {
    const id = [field.name, field.pair].sort().join("\0");
    let noisy = this.#positions.get(id);
    if (noisy === undefined) {
      noisy = new NoisyPositions(field, this.#keys.key(`${field.operator}\0${id}`, field.rotationDays));
      this.#positions.set(id, noisy);
    }
    return noisy;
  }
}

/**
 * Noise drawn from a key and the record rather than afresh: running twice over the same records shows nothing new
 * that could be averaged.
 */
class NoisyPositions {
  readonly #epsilonPerMetre: number;
  readonly #budget: DailyBudget;
  readonly #key: Uint8Array;
  #record: readonly Cell[] | undefined;
  #shown: Position | undefined;

  constructor({ epsilonPerMetre, dailyBudgetPerMetre }: FieldOf<"planar-laplace">, key: Uint8Array) {
    this.#epsilonPerMetre = epsilonPerMetre;
    this.#budget = new DailyBudget(epsilonPerMetre, dailyBudgetPerMetre);
    this.#key = key;
  }

  of(record: readonly Cell[], position: Position, subject: string, day: string): Position | undefined {
    if (record === this.#record) return this.#shown;
    this.#record = record;
    const number = this.#budget.spend(subject, day);
    this.#shown =
      number === undefined
        ? undefined
        : addPlanarLaplace(position, this.#epsilonPerMetre, this.#draw(position, subject, day, number));
    return this.#shown;
  }

  #draw({ latitude, longitude }: Position, subject: string, day: string, number: number): Random {
    const parts = [subject, day, number, latitude, longitude].map(String);
    return seededRandom(Buffer.from(keyedDigest(this.#key, ...parts)).toString("hex"));
  }
}

function requireNumber(value: Cell): number {
  const x = numberOf(value);
  if (x === undefined) throw new Refusal("cell_malformed", "not a finite number");
  return x;
}

function requireText(value: Cell, what: string): string {
  const text = textOf(value);
  if (isMissing(text)) throw new Refusal("cell_malformed", `no ${what}`);
  return text;
}
