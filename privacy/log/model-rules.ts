/** Rules about which published models a bank uses, and who of it said so. */
import { about } from "./rules.ts";
import { resultKey } from "./state.ts";

/**
 * A model comes into use once as many different people approved it as the bank's own rule says. A champion that makes
 * room for another one was in use before.
 */
export const usedAsApproved = about(["model.approved", "model.standing"], (entry, state) => {
  const key = resultKey(entry);
  const approved = state.approvals.get(key) ?? new Set();
  if (entry.type === "model.approved")
    return approved.has(entry.by) ? `${entry.by} approved it before` : undefined;
  const isLess = entry.standing === "retired" || state.standings.get(key) === "champion";
  if (isLess || approved.size >= state.approvalsNeeded) return undefined;
  return `${entry.result} is used with ${approved.size} approvals, where ${state.approvalsNeeded} are needed`;
});
