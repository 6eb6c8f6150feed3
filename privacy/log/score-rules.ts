/** Rules about what enterprises say of themselves, and what the bank makes of it. */
import { parseVerifierKey } from "./note.ts";
import { about, complaint } from "./rules.ts";
import { openScoreStatement } from "./score-statement.ts";
import { scoresKey } from "./state.ts";

/** How long after it was made a statement may be recorded, ms: longer ago, it is of another day. */
export const freshMillis = 600_000;

/** Nobody says something of an enterprise but itself: what the log holds is its signed word. */
export const statementsSigned = about(["score.issued"], (entry, state) =>
  complaint(() => {
    const member = state.roster?.byId.get(entry.enterprise);
    if (member === undefined) return `${entry.enterprise} is not in the roster`;
    const said = openScoreStatement(entry.statement, parseVerifierKey(member.verifierKey));
    if (said.consortium !== state.consortium?.name || said.enterprise !== entry.enterprise)
      return "the statement is another enterprise's";
    for (const field of ["study", "model", "result", "grade"] as const)
      if (said[field] !== entry[field]) return `${field} is not the statement's`;
    if (state.models.get(said.model) !== said.study) return "the model was not published in this study";
    if (Math.abs(entry.time - said.issued) > freshMillis)
      return `made at ${said.issued}, recorded at ${entry.time}`;
    const last = state.lastScores.get(scoresKey(entry));
    return last === undefined || (said.until > last.until && said.issued > last.issued)
      ? undefined
      : `a statement of a window that ended ${last.until} came before`;
  }),
);

export const consentBeforeScore = about(["score.issued"], (entry, state) => {
  const expires = state.scoreConsents.get(scoresKey(entry));
  if (expires === undefined) return `${entry.enterprise} has not consented to score statements, or withdrew`;
  return expires <= entry.time ? `the consent of ${entry.enterprise} has expired` : undefined;
});

/** A case has a cause in this log; it is decided once, and a decision against the suggestion says why. */
export const casesInOrder = about(
  ["case.raised", "case.assigned", "case.commented", "case.decided"],
  (entry, state) => {
    const known = state.cases.get(entry.case);
    if (entry.type !== "case.raised") {
      if (known === undefined) return "the case was not raised";
      if (known.decided) return "the case was decided before";
      return entry.type === "case.decided" &&
        entry.decision !== known.suggestion &&
        entry.reason === undefined
        ? `${known.suggestion} was suggested, and no reason is given for ${entry.decision}`
        : undefined;
    }
    const { enterprise, model, cause } = entry;
    if ((cause === "shift" ? enterprise : model) !== undefined) return "the case is about two things";
    const about = cause === "shift" ? model : enterprise;
    const by = state.causes.get(entry.entry);
    if (about === undefined || by?.about !== about || by.cause !== cause)
      return `entry ${entry.entry} is no ${cause} of ${about}`;
    if (known === undefined)
      return entry.case === state.cases.size + 1 ? undefined : `case ${entry.case} after ${state.cases.size}`;
    if (known.decided) return "the case was decided before";
    return known.about === about && known.cause === cause
      ? undefined
      : "the case is about something else, or of another cause";
  },
);
