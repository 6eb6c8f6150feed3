import { shortDigest } from "../core/ids.ts";
import { isMilestone, type Log } from "../core/log.ts";
import type { NodeEvent } from "./events.ts";

/**
 * Writes a node's events into its log: what its operator should know of at `info`, every step at `debug`.
 * @returns what takes the events, in their order.
 */
export function logEvents(log: Log): (event: NodeEvent) => void {
  let study = "";
  let round = 0;
  return (event) => {
    switch (event.type) {
      case "connected":
        return log.info("connected");
      case "disconnected": {
        const { message: detail, reason, retryMillis } = event;
        return log.warn({ reason, detail, retrySeconds: Math.round(retryMillis / 100) / 10 }, "disconnected");
      }
      case "round": {
        const { algorithm, attempt, phase } = event;
        const fields = { study: shortDigest(event.study), algorithm, round: event.round, attempt, phase };
        const isNew = event.study !== study || event.round !== round;
        [study, round] = [event.study, event.round];
        return isNew && isMilestone(round) ? log.info(fields, "round") : log.debug(fields, "round");
      }
      case "closed": {
        const { outcome, reason } = event;
        const fields = { attempt: shortDigest(event.roundId), outcome, reason };
        return outcome === "released"
          ? log.debug(fields, "attempt ended")
          : log.warn(fields, "attempt ended without a sum");
      }
      case "certificate": {
        const { expires, reason, message: detail } = event;
        const until = new Date(expires).toISOString().slice(0, 10);
        return reason === undefined
          ? log.info({ until }, "certificate renewed")
          : log.warn({ until, reason, detail }, "certificate not renewed");
      }
      case "warnings":
        return event.reason === undefined
          ? log.info({ warnings: event.told }, "warnings told to the bank, in coarse form")
          : log.warn({ reason: event.reason, detail: event.message }, "no warnings told to the bank");
      case "decision":
        return "decision" in event
          ? log.warn(
              { study: event.name, decision: event.decision },
              "the bank did not know of a decision: told again",
            )
          : log.warn({ reason: event.reason, detail: event.message }, "decisions not told again");
      case "epoch":
        return "epoch" in event
          ? log.debug({ epoch: shortDigest(event.epoch) }, "key epoch open")
          : log.warn({ reason: event.reason, detail: event.detail }, "key epoch not opened");
      case "statement": {
        const fields = { study: shortDigest(event.study), until: event.until };
        return "grade" in event
          ? log.info({ ...fields, grade: event.grade }, "score statement sent")
          : log.warn({ ...fields, reason: event.reason, detail: event.message }, "score statement not sent");
      }
      case "refused": {
        const { message: detail, reason, roundId } = event;
        return log.warn({ reason, detail, attempt: shortDigest(roundId) }, "refused");
      }
      case "rows": {
        const { type: _, unlabelled, ...rest } = event;
        const fields = { ...rest, unlabelled };
        return unlabelled > 0
          ? log.warn(fields, "rows read, some without a label")
          : log.info(fields, "rows read");
      }
      case "warning": {
        const { type, severity, device, site, explanation, closed } = event.warning;
        const fields = { severity, device: device ?? site, explanation };
        return log.warn(fields, `${type.replaceAll("_", " ")}${closed === undefined ? "" : ", over"}`);
      }
      case "refreshed":
        return log.info({ windows: event.windows, series: event.series }, "features and quality computed");
      case "configured":
        return event.waiting.length === 0
          ? log.info("node.yaml was read again")
          : log.warn({ waiting: event.waiting }, "node.yaml was read again, in part");
      case "configuration refused":
        return log.error({ reason: event.reason, detail: event.message }, "node.yaml is not taken");
      case "page":
        return log.info({ url: event.url }, "page");
    }
  };
}
