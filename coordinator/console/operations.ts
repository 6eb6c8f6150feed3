import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freeBytes } from "../../core/monitor.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { users } from "../authority/users.ts";
import { lastBackup } from "../service/backup.ts";
import { exportLog } from "../service/export.ts";
import { troublesOf } from "../service/gauges.ts";
import { signersOf } from "../store/log.ts";
import type { Asked } from "./asked.ts";
import type { Desk } from "./desk.ts";
import { numeric, type View } from "./frame.ts";

export function operationsPages(desk: Desk, isDraining: () => boolean): void {
  desk.show("/operations", (asked) => operationsView(asked, isDraining));
  desk.serve("/log.fcexport", async ({ bank }, response) => {
    const parts = exportLog(bank, true);
    // What is refused is refused before the first byte.
    const first = await parts.next();
    response.attachment("log.fcexport").type("application/octet-stream");
    if (!first.done) response.write(first.value);
    for await (const part of parts) {
      if (response.destroyed) return;
      if (!response.write(part))
        await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
    }
    response.end();
  });
}

async function operationsView(
  { bank, participants, locale }: Asked,
  isDraining: () => boolean,
): Promise<View> {
  const { words, number, bytes, moment, day } = locale;
  const { config, database, privacyLog, clock } = bank;
  const troubles = await troublesOf(bank, isDraining);
  const [server] = await database.sql`
    SELECT current_setting('server_version') AS version, pg_database_size(current_database())::bigint AS size`;
  const { size, note: checkpoint } = await privacyLog.checkpoint();
  const witnessed = await privacyLog.witnessed(config.witnesses.quorum);
  const seen = witnessed?.size ?? 0;
  const folders = await Promise.all(
    [["blobs", config.blobs] as const, ["dataDir", config.dataDir] as const].map(
      async ([name, path]) => [name, await freeBytes(path).catch(() => Number.NaN)] as const,
    ),
  );
  const attempts = await database.sql`
    SELECT phase, count(*)::int AS count FROM attempt GROUP BY phase ORDER BY phase`;
  const backedUp = await lastBackup(bank);
  const known = await users(bank);
  const body = html`${
    troubles.length === 0
      ? html`<p class="good">${words.allWell}</p>`
      : html`<ul class="alarm" lang="en">${troubles.map((one) => html`<li>${one}</li>`)}</ul>`
  }
<h2>${words.database}</h2>
${facts([
  ["PostgreSQL", String(server!.version)],
  [words.where, config.database === "embedded" ? words.embedded : words.ownServer],
  [words.size, bytes(Number(server!.size))],
  [
    words.lastBackup,
    backedUp === undefined ? html`<span class="warning">${words.noBackup}</span>` : moment(backedUp),
  ],
])}
<h2>${words.disk}</h2>
${facts(folders.map(([name, free]) => [words.freeIn(name), Number.isFinite(free) ? bytes(free) : "–"] as const))}
<h2>${words.privacyLog}</h2>
${facts([
  [words.entries, number(size)],
  [words.witnessedEntries, number(seen)],
  [words.notWitnessed, number(Math.max(0, size - seen))],
  [words.quorum, number(config.witnesses.quorum)],
  [words.cosigned, signersOf(checkpoint).join(", ")],
])}
${size > seen && config.witnesses.quorum > 0 && note(words.witnessHint)}
<p><a class="button" href="/log.fcexport">${words.downloadLog}</a></p>
<h2>${words.connections}</h2>
${facts([[words.connectedEnterprises, number(participants.present().length)]])}
${
  attempts.length > 0 &&
  table(
    words.attemptsCaption,
    [words.standing, numeric(words.attempts)],
    attempts.map(({ phase, count }) => [
      words.attemptPhases[phase as string] ?? (phase as string),
      number(count as number),
    ]),
  )
}
<h2>${words.certificates}</h2>
${facts(
  (await ownCertificates(config.keys)).map(
    ([name, end]) =>
      [
        words.ownCertificates[name],
        html`${day(end)} ${end - clock.now() < 30 * 86_400_000 && html`<span class="warning">${words.endsSoon}</span>`}`,
      ] as const,
  ),
)}
<h2>${words.users}</h2>
${table(
  words.usersCaption,
  [words.user, words.role, words.added],
  known.map(({ user, role, addedMillis }) => [user, words.roles[role], moment(addedMillis)]),
)}
${usersHint(words.usersHint)}`;
  return { title: words.operations, body };
}

const usersHint = (text: string): Html =>
  html`<p class="note">${text} <code>fedcredit coordinator user --help</code></p>`;

async function ownCertificates(keys: string): Promise<(readonly ["operator" | "ca", number])[]> {
  const files = (["operator", "ca"] as const).filter((name) => existsSync(join(keys, `${name}.pem`)));
  return Promise.all(
    files.map(async (name) => {
      const { validToDate } = new X509Certificate(await readFile(join(keys, `${name}.pem`)));
      return [name, validToDate.getTime()] as const;
    }),
  );
}
