/** What a command says: results on stdout, everything else on stderr. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
