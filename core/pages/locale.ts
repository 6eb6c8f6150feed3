/** The language of a page: the reader's choice, else the browser's; and dates, numbers and amounts as it writes them. */
import type { Express, Request } from "express";
import { type Html, html } from "./html.ts";
import { cookieIn } from "./serving.ts";

const languages = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof languages;

const isLanguage = (text: unknown): text is Language =>
  typeof text === "string" && Object.hasOwn(languages, text);

const cookieName = "fedcredit-language";

/** @returns the cookie that keeps a choice for a year. */
const languageCookie = (language: Language): string =>
  `${cookieName}=${language}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000`;

export interface Locale<Words> {
  readonly language: Language;
  /** BCP 47. */
  readonly tag: string;
  readonly words: Words;
  /** Four significant digits. */
  number(value: number): string;
  fixed(value: number, digits: number): string;
  percent(share: number): string;
  bytes(count: number): string;
  /** @param millis - Unix milliseconds; in the time zone of this machine, which is named. */
  moment(millis: number): Html;
  day(millis: number): Html;
  /** As `day`, where only text can stand. */
  dayText(millis: number): string;
  /** @param day - ISO date, in it. */
  month(day: string): string;
  duration(seconds: number): string;
}

function localeOf<Words>(language: Language, tag: string, words: Words): Locale<Words> {
  const significant = new Intl.NumberFormat(tag, { maximumSignificantDigits: 4 });
  const whole = new Intl.NumberFormat(tag);
  const share = new Intl.NumberFormat(tag, {
    style: "percent",
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
  const amount = (unit: string): Intl.NumberFormat =>
    new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 });
  const sizes = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"].map(amount);
  const [seconds, minutes, hours, days] = ["second", "minute", "hour", "day"].map(amount) as [
    Intl.NumberFormat,
    Intl.NumberFormat,
    Intl.NumberFormat,
    Intl.NumberFormat,
  ];
  const clock = new Intl.DateTimeFormat(tag, {
    ...{ year: "numeric", month: "short", day: "numeric" },
    ...{ hour: "2-digit", minute: "2-digit", timeZoneName: "short" },
  });
  const date = new Intl.DateTimeFormat(tag, { year: "numeric", month: "short", day: "numeric" });
  const monthOf = new Intl.DateTimeFormat(tag, { year: "numeric", month: "short", timeZone: "UTC" });
  const time = (millis: number, format: Intl.DateTimeFormat): Html =>
    html`<time datetime="${new Date(millis).toISOString()}">${format.format(millis)}</time>`;
  return {
    language,
    tag,
    words,
    number: (value) =>
      Number.isFinite(value) ? (Number.isInteger(value) ? whole : significant).format(value) : "–",
    fixed: (value, digits) =>
      Number.isFinite(value)
        ? value.toLocaleString(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits })
        : "–",
    percent: (value) => (Number.isFinite(value) ? share.format(value) : "–"),
    bytes(count) {
      const power = Math.min(
        sizes.length - 1,
        Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(count))) / 3)),
      );
      return sizes[power]!.format(count / 1000 ** power);
    },
    moment: (millis) => time(millis, clock),
    day: (millis) => time(millis, date),
    dayText: (millis) => date.format(millis),
    // On one line, however narrow.
    month: (day) => monthOf.format(Date.parse(day)).replaceAll(" ", "\u00a0"),
    duration(of) {
      if (of < 120) return seconds.format(Math.ceil(of));
      if (of < 7200) return minutes.format(Math.ceil(of / 60));
      return of < 2 * 86_400 ? hours.format(Math.ceil(of / 3600)) : days.format(Math.ceil(of / 86_400));
    },
  };
}

/** @param words - of each language. @returns the reader's locale, for a request. */
export function localesOf<Words>(
  words: Readonly<Record<Language, Words>>,
): (request: Request) => Locale<Words> {
  const locales = {
    en: localeOf("en", "en-GB", words.en),
    zh: localeOf("zh", "zh-CN", words.zh),
  };
  return (request) => {
    const chosen = cookieIn(request.headers.cookie, cookieName);
    if (isLanguage(chosen)) return locales[chosen];
    const spoken = request.acceptsLanguages("en", "zh");
    return locales[isLanguage(spoken) ? spoken : "en"];
  };
}

/** The addresses that keep a reader's choice. @param home - for whoever comes from nowhere */
export function serveLanguages(app: Express, home: string): void {
  app.get("/language/:language", (request, response, next) => {
    const { language } = request.params;
    if (!isLanguage(language)) return next();
    response.set("Set-Cookie", languageCookie(language)).redirect(303, pathOf(request.get("referer"), home));
  });
}

/** @returns the path of a page of ours, for whoever comes from it. */
function pathOf(address: string | undefined, home: string): string {
  if (address === undefined || !URL.canParse(address)) return home;
  const { pathname, search } = new URL(address);
  // Two slashes would name another host.
  return pathname.startsWith("//") ? home : pathname + search;
}

/** Links to the languages that a page can be read in. @param name - of the list, read out */
export const languageLinks = (name: string, current: Language): Html =>
  html`<ul class="languages" aria-label="${name}">${Object.entries(languages).map(
    ([language, own]) =>
      html`<li><a href="/language/${language}" lang="${language}" hreflang="${language}"${language === current && html` aria-current="true"`}>${own}</a></li>`,
  )}</ul>`;
