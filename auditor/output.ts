export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
