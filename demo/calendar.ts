/** All sites of the demo keep this time, hours east of UTC. */
export const utcOffsetHours = 8;

export const secondMillis = 1000;
export const minuteMillis = 60_000;
export const hourMillis = 3_600_000;
export const dayMillis = 86_400_000;

const offset = utcOffsetHours * hourMillis;

/** @returns the local date, YYYY-MM-DD. */
export const dateOf = (millis: number): string => new Date(millis + offset).toISOString().slice(0, 10);

/** @returns the beginning of the local month that is `months` after the one of `millis`, milliseconds UTC. */
export function monthStart(millis: number, months = 0): number {
  const local = new Date(millis + offset);
  return Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + months, 1) - offset;
}

/** @returns the beginning of the local day, milliseconds UTC. */
export const dayStart = (millis: number): number =>
  Math.floor((millis + offset) / dayMillis) * dayMillis - offset;

/** @returns the beginning of the local week (Monday), milliseconds UTC. */
export function weekStart(millis: number): number {
  const day = dayStart(millis);
  return day - ((new Date(day + offset).getUTCDay() + 6) % 7) * dayMillis;
}

/** @returns the Thursdays from `from` (inclusive) to `until` (exclusive), 12:00 UTC of each. */
export function thursdays(from: number, until: number): number[] {
  // 1970-01-01 was one.
  const found: number[] = [];
  const noon = 12 * hourMillis;
  for (
    let time = Math.ceil((from - noon) / (7 * dayMillis)) * 7 * dayMillis + noon;
    time < until;
    time += 7 * dayMillis
  )
    found.push(time);
  return found;
}
