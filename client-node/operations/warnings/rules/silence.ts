import { none, type RuleType, seconds } from "../rule.ts";

/**
 * A device of which nothing is heard. What it would have said is a gap, and no other rule claims anything for it. How
 * often it speaks is told by its own times, whether it still does by when it was heard: a till whose month came today is
 * not silent since the month's end.
 */
export const silence: RuleType = {
  metrics: undefined,
  create({ profile }) {
    /** By its own time. */
    let last: number | undefined;
    let heard = 0;
    // A device that speaks hourly is not silent after a quarter of an hour.
    let usual = 0;
    const openAfter = (): number => Math.max(seconds(profile.silence.openAfter), 4 * usual);
    let open = false;
    return {
      observe({ received, time }) {
        const silentSince = last;
        const heardBefore = heard;
        heard = Math.max(heard, received);
        last = Math.max(last ?? time, time);
        const pause = silentSince === undefined ? 0 : last - silentSince;
        // Several metrics of one instant are no pause.
        if (!open && pause > 0) usual = usual === 0 ? pause : usual + 0.2 * (pause - usual);
        if (!open || silentSince === undefined) return none;
        open = false;
        const minutes = (heard - heardBefore) / 60_000_000;
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
        if (open || last === undefined || usual === 0 || now - heard <= openAfter()) return none;
        open = true;
        const minutes = (now - heard) / 60_000_000;
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
