import { none, type RuleType, seconds } from "../rule.ts";

/** A device that says nothing. What it would have said is a gap, and no other rule claims anything for it. */
export const silence: RuleType = {
  metrics: undefined,
  create({ profile }) {
    const openAfter = seconds(profile.silence.openAfter);
    let last: number | undefined;
    let open = false;
    return {
      observe({ time }) {
        const silentSince = last;
        last = Math.max(last ?? time, time);
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
        if (open || last === undefined || now - last <= openAfter) return none;
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
