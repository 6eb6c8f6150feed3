import { type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseNote } from "../../privacy/log/note.ts";
import { parseRoster } from "../../privacy/roster.ts";
import {
  admit,
  createToken,
  currentRoster,
  type EnterpriseView,
  enterprises,
  pendingRosterNote,
  remove,
  revoke,
} from "../authority/membership.ts";
import { toldWarnings } from "../warnings/reports.ts";
import { type Asked, enterpriseIn, type Fields } from "./asked.ts";
import { scoresView } from "./cases.ts";
import type { Desk } from "./desk.ts";
import { admitters, field, form, may, type View } from "./frame.ts";
import type { Locale } from "./locale.ts";

export function enterprisePages(desk: Desk): void {
  desk.show("/enterprises", enterprisesView);
  desk.show("/enterprises/:enterprise", enterpriseView);
  desk.act("/enterprises/token", admitters, tokenView);
  desk.act("/enterprises/admit", admitters, async ({ bank }, fields) => {
    const chosen = fields.all("enterprise");
    if (chosen.length === 0)
      throw new Refusal("parameters_invalid", "no enterprise was chosen", { hint: "choose whom to admit" });
    await admit(bank, chosen);
    return "/enterprises";
  });
  desk.act("/enterprises/:enterprise/expel", admitters, async ({ bank, params }, fields) => {
    requireName(fields, enterpriseIn(params.enterprise));
    await remove(bank, enterpriseIn(params.enterprise), fields.text("reason"));
    return "/enterprises";
  });
  desk.act("/enterprises/:enterprise/revoke", admitters, async ({ bank, params }, fields) => {
    requireName(fields, enterpriseIn(params.enterprise));
    await revoke(bank, enterpriseIn(params.enterprise));
    return "/enterprises";
  });
}

/** What cannot be undone is confirmed by the name. @throws Refusal parameters_invalid */
function requireName(fields: Fields, enterprise: string): void {
  if (fields.text("name") !== enterprise)
    throw new Refusal("parameters_invalid", `the name written is not ${enterprise}`, {
      hint: "write the enterprise's name to confirm",
    });
}

const standingBadge = ({ standing }: EnterpriseView, { words }: Locale): Html =>
  html`<span class="badge ${standing === "member" ? "good" : standing === "removed" ? "warning" : ""}">${words.memberships[standing]}</span>`;

async function pendingNote(bank: Asked["bank"]): Promise<string | undefined> {
  try {
    return await pendingRosterNote(bank);
  } catch (error) {
    if (error instanceof Refusal && error.reason === "not_found") return undefined;
    throw error;
  }
}

async function enterprisesView({ bank, participants, session, locale }: Asked): Promise<View> {
  const { words, number, day } = locale;
  const all = await enterprises(bank);
  const current = await currentRoster(bank);
  const pending = await pendingNote(bank);
  const waiting = all.filter(({ standing }) => standing === "enrolled");
  const body = html`${
    all.length === 0
      ? note(words.nobodyEnrolled)
      : table(
          words.enterprisesCaption,
          [
            words.enterprise,
            words.organisation,
            words.standing,
            words.connection,
            words.version,
            words.certificateUntil,
          ],
          all.map((one) => [
            html`<a href="/enterprises/${one.enterprise}">${one.enterprise}</a>`,
            one.organisation,
            standingBadge(one, locale),
            participants.isPresent(one.enterprise)
              ? html`<span class="good">${words.connected}</span>`
              : words.away,
            participants.versionOf(one.enterprise) ?? "–",
            lastEnd(one) === 0 ? "–" : day(lastEnd(one)),
          ]),
        )
  }
<h2>${words.roster}</h2>
${
  current === undefined
    ? note(words.noRoster)
    : html`${facts([
        [words.version, number(current.roster.version)],
        [words.members, number(current.roster.members.length)],
        [
          words.signedBy,
          parseNote(current.note)
            .signatures.map(({ name }) => name)
            .join(", "),
        ],
      ])}
<p class="note">${words.digest} <code>${current.roster.digest}</code></p>
<details><summary>${words.rosterNote}</summary><pre>${current.note}</pre></details>`
}
${
  pending !== undefined &&
  html`<article class="card"><h3>${words.pendingRoster}</h3>
<p>${words.pendingRosterOf(
    number(parseRoster(parseNote(pending).text).version),
    parseRoster(parseNote(pending).text)
      .members.map(({ id }) => id)
      .join(", "),
  )}</p>
<details><summary>${words.rosterNote}</summary><pre>${pending}</pre></details></article>`
}
${
  may(session, admitters) &&
  html`<div class="columns"><section class="card"><h2>${words.newToken}</h2>
${form(
  session,
  "/enterprises/token",
  html`${field({ name: "enterprise", label: words.enterprise, hint: words.idHint })}
${field({ name: "organisation", label: words.organisation, hint: words.organisationHint })}
${field({ name: "hours", label: words.validHours, value: "24", inputmode: "numeric" })}
<button class="main">${words.makeToken}</button>`,
)}</section>
<section class="card"><h2>${words.admission}</h2>
${
  waiting.length === 0
    ? note(words.nobodyWaits)
    : form(
        session,
        "/enterprises/admit",
        html`<div class="choices">${waiting.map(
          ({ enterprise, organisation }) =>
            html`<label class="choice"><input type="checkbox" name="enterprise" value="${enterprise}" checked> <span>${enterprise}</span><span class="note">${organisation}</span></label>`,
        )}</div><p class="note">${words.admitHint}</p><button class="main">${words.admit}</button>`,
      )
}</section></div>`
}`;
  return { title: words.enterprises, body };
}

/** A page of them; the command has all. */
const mostWarnings = 100;

async function warningsOf({ bank, locale }: Asked, enterprise: string): Promise<Html | undefined> {
  if (bank.config.warnings === undefined) return undefined;
  const { words, day } = locale;
  const told = await toldWarnings(bank, { enterprise, limit: mostWarnings });
  return html`<h2>${words.warnings}</h2>
${
  told.length === 0
    ? note(words.noWarnings)
    : table(
        words.warningsCaption(words.periods[bank.config.warnings.period]),
        [words.periodFrom, words.severity, words.warningType, words.place, words.receivedOn],
        told.map(({ from, severity, type, place, received }) => [
          from,
          html`<span class="badge ${severity}">${words.severities[severity]}</span>`,
          words.warningTypes[type],
          place ?? "–",
          day(received),
        ]),
      )
}`;
}

const lastEnd = ({ certificates }: EnterpriseView): number =>
  Math.max(0, ...certificates.map(({ expiresMillis }) => expiresMillis));

async function enterpriseView(asked: Asked): Promise<View | undefined> {
  const { bank, participants, session, locale, params } = asked;
  const { words, day } = locale;
  const found = (await enterprises(bank)).find(({ enterprise }) => enterprise === params.enterprise);
  if (found === undefined) return undefined;
  const { enterprise, organisation, certificates, standing } = found;
  const confirmFor = (order: string): Html =>
    html`<div class="field"><label for="name-${order}">${words.writeName(enterprise)}</label><input id="name-${order}" name="name" required autocomplete="off"></div>`;
  const body = html`<p>${standingBadge(found, locale)}</p>
${facts([
  [words.organisation, organisation],
  [words.connection, participants.isPresent(enterprise) ? words.connected : words.away],
  [words.version, participants.versionOf(enterprise) ?? "–"],
])}
${
  certificates.length === 0
    ? note(words.noCertificate)
    : table(
        words.certificates,
        [words.serial, words.certificateUntil],
        certificates.map(({ serial, expiresMillis }) => [
          html`<code>${serial}</code>`,
          expiresMillis === 0 ? "–" : day(expiresMillis),
        ]),
      )
}
${await scoresView(asked, enterprise)}
${await warningsOf(asked, enterprise)}
${
  may(session, admitters) &&
  html`<div class="columns">${
    standing !== "removed" &&
    html`<section class="card"><h2>${words.expel}</h2><p>${words.expelMeans}</p>
${form(
  session,
  `/enterprises/${enterprise}/expel`,
  html`<div class="field"><label for="reason">${words.reasonForLog}</label><input id="reason" name="reason" maxlength="500" autocomplete="off"></div>
${confirmFor("expel")}<button class="grave">${words.expel}</button>`,
)}</section>`
  }${
    certificates.length > 0 &&
    html`<section class="card"><h2>${words.revoke}</h2><p>${words.revokeMeans}</p>
${form(session, `/enterprises/${enterprise}/revoke`, html`${confirmFor("revoke")}<button class="grave">${words.revoke}</button>`)}</section>`
  }</div>`
}`;
  return { title: enterprise, body };
}

async function tokenView({ bank, locale }: Asked, fields: Fields): Promise<View> {
  const { words, number } = locale;
  const hours = Number(fields.text("hours"));
  const enterprise = fields.text("enterprise");
  const { token } = await createToken(bank, {
    enterprise,
    organisation: fields.text("organisation"),
    validSeconds: hours * 3600,
  });
  return {
    title: words.tokenFor(enterprise),
    body: html`<p>${words.tokenShownOnce(number(hours))}</p>
<pre class="secret">${token}</pre>
<p><a class="button" href="/enterprises">${words.enterprises}</a></p>`,
  };
}
