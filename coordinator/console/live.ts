import type { Response } from "express";
import { inspect } from "../studies/inspection.ts";
import { studyRow } from "../studies/study-row.ts";
import { type Asked, digestIn } from "./asked.ts";
import type { Desk } from "./desk.ts";
import type { Session } from "./sessions.ts";
import { type LiveTexts, studyTexts } from "./studies.ts";

/** Who is connected is no change of the study, so it is looked at; one look answers all that is shown. */
const lookMillis = 2000;
/** Of one session: a browser keeps few, and each asks the database. */
const mostStreams = 12;

/** Server-sent events of studies under way: only what changed. */
export function liveStudies(desk: Desk): { close(): void } {
  const open = new Map<Response, Session>();
  desk.serve("/studies/:study/live", async (asked, response) => {
    const { bank, session, sessions } = asked;
    if ([...open.values()].filter((held) => held === session).length >= mostStreams)
      return void response.status(429).end();
    const { digest } = await studyRow(bank.database.sql, digestIn(asked.params.study));
    response.set("Content-Type", "text/event-stream").flushHeaders();
    open.set(response, session);
    let sent: LiveTexts = {};
    let looking = false;
    const look = async (): Promise<void> => {
      if (looking) return;
      if (!sessions.isOpen(session)) return void response.end();
      looking = true;
      try {
        const { phase, texts } = await textsOf(asked, digest);
        // Another phase has other buttons: the page is made anew.
        if (phase !== asked.query.text("phase")) return void response.end("event: stale\ndata: {}\n\n");
        const changed = Object.entries(texts).filter(([name, text]) => sent[name] !== text);
        sent = texts;
        if (changed.length > 0) response.write(`data: ${JSON.stringify(Object.fromEntries(changed))}\n\n`);
      } catch (error) {
        // The browser connects again by itself.
        bank.log.warn({ err: error }, "console stream ended");
        response.end();
      } finally {
        looking = false;
      }
    };
    const onStudy = (study: string): void => {
      if (study === digest) void look();
    };
    const timer = setInterval(look, lookMillis);
    bank.events.on("study", onStudy);
    response.on("close", () => {
      clearInterval(timer);
      bank.events.off("study", onStudy);
      open.delete(response);
    });
    await look();
  });
  return {
    close() {
      for (const response of open.keys()) response.end();
    },
  };
}

async function textsOf({ bank, participants, locale }: Asked, study: string) {
  const row = await studyRow(bank.database.sql, study);
  const texts: LiveTexts = studyTexts(row, await inspect(bank, participants, study), locale);
  return { phase: row.phase, texts };
}
