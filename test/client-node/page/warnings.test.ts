import test from "ava";
import type { Operations } from "../../../client-node/operations/operations.ts";
import type { Warning } from "../../../client-node/operations/warnings/warning.ts";
import { warningsView } from "../../../client-node/page/warnings.ts";
import { html } from "../../../core/pages/html.ts";
import { localeIn } from "../../support/page.ts";

const warning = (device: string, over: Partial<Warning> = {}): Warning =>
  ({
    type: "signal_lost",
    severity: "notice",
    site: "hall",
    device,
    explanation: `nothing of ${device}`,
    numbers: {},
    onset: 0,
    detected: 0,
    closed: 1,
    ...over,
  }) as unknown as Warning;

const shown = (warnings: readonly Warning[]): string => {
  const open = warnings.filter(({ closed }) => closed === undefined);
  const findings = {
    countWarnings: () => ({ open: open.length, all: warnings.length }),
    warnings: () => [...open, ...warnings.filter(({ closed }) => closed !== undefined)],
  };
  const { body } = warningsView({ findings, sites: [] } as unknown as Operations, 0, localeIn("en"));
  return html`${body}`.text;
};

test("closed warnings of one kind take one line, and the open one stands before them, unfolded", (t) => {
  const closed = Array.from({ length: 40 }, (_, i) => warning(`erp-${i}`));
  const text = shown([...closed, warning("lathe-1", { type: "stoppage", closed: undefined } as never)]);
  t.is(text.match(/<details/g)?.length, 1);
  t.true(text.includes("40 closed, at 40 places"));
  t.true(text.indexOf("nothing of lathe-1") < text.indexOf("<details"));
  t.is(text.match(/<article/g)?.length, 41);
});

test("a closed warning that is alone in its kind is not folded", (t) => {
  t.notRegex(shown([warning("a"), warning("b", { severity: "alarm" })]), /<details/);
});
