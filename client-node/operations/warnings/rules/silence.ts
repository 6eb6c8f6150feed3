import { none, type RuleType, seconds } from "../rule.ts";

/** A device that says nothing. What it would have said is a gap, and no other rule claims anything for it. */
export const silence: RuleType = {
  metrics: undefined,
  create({ profile }) {
    let last: number | undefined;
    // A device that speaks hourly is not silent after a quarter of an hour.
    let usual = 0;
    const openAfter = (): number => Math.max(seconds(profile.silence.openAfter), 4 * usual);
    let open = false;
    return {
      observe({ time }) {
        const silentSince = last;
        last = Math.max(last ?? time, time);
        const pause = silentSince === undefined ? 0 : last - silentSince;
        // Several metrics of one instant are no pause.
        if (!open && pause > 0) usual = usual === 0 ? pause : usual + 0.2 * (pause - usual);
        if (!open || silentSince === undefined) return none;
        open = false;
        const minutes = (time - silentSince) / 60_000_000;
        return [
          {
            change: "closed",
            type: "signal_lost",
            severity: "notice",
            since: time,
            explanation: `heard again after ${minutes.toFixed(0)} min`,
            numbers: { minutes },
          },
        ];
      },
      tick(now) {
        if (open || last === undefined || usual === 0 || now - last <= openAfter()) return none;
        open = true;
        const minutes = (now - last) / 60_000_000;
        return [
          {
            change: "opened",
            type: "signal_lost",
            severity: "notice",
            since: last,
            explanation: `nothing for ${minutes.toFixed(0)} min`,
            numbers: { minutes },
          },
        ];
      },
    };
  },
};
