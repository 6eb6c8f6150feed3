/** What a command says: results on stdout, everything else on stderr. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what a stranger must not send to a terminal.
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text that a device, a peer or a file wrote: it moves no cursor, and a line stays one. */
export const printable = (text: string): string => text.replace(controls, "\ufffd");
