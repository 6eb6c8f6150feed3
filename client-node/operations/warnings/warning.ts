import type { Severity, WarningType } from "../../../core/warning-types.ts";

/** A condition that has begun. Times in µs UTC. */
export interface WarningDraft {
  readonly type: WarningType;
  readonly severity: Severity;
  readonly site: string;
  /** Absent where the whole site is meant. */
  readonly device?: string;
  /** Tells several conditions of one type on one device apart: a fence, a channel. */
  readonly subject?: string;
  /** When the condition began, by the source's clock. */
  readonly onset: number;
  /** When it was known here. */
  readonly detected: number;
  /** One sentence with the numbers in it. */
  readonly explanation: string;
  readonly numbers: Readonly<Record<string, number>>;
}

/** One warning, from its onset to its end. */
export interface Warning extends WarningDraft {
  /** Type, place and onset: the same condition seen twice has one id. */
  readonly id: string;
  /** When the condition ended; absent while it lasts. */
  readonly closed?: number;
}

export const openWarning = (draft: WarningDraft): Warning => ({
  id: [
    draft.type,
    draft.device ?? draft.site,
    ...(draft.subject === undefined ? [] : [draft.subject]),
    draft.onset,
  ].join("/"),
  ...draft,
});
