import { InvalidArgumentError } from "commander";

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Give a whole number");
  return Number(text);
}
