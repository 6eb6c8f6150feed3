import { InvalidArgumentError } from "commander";

/** @returns what reads a whole number of a command line, digits alone. It throws InvalidArgumentError. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}`);
  };

/** Timers take no more than 2³¹ milliseconds. */
const mostSeconds = 1_000_000;

/** Reads a duration of a command line. @throws InvalidArgumentError */
export function secondsArgument(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= mostSeconds) return value;
  throw new InvalidArgumentError(`Give seconds, more than 0 and up to ${mostSeconds}`);
}
