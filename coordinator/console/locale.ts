/** The language of a page: the reader's choice, else the browser's; and dates, numbers and amounts as it writes them. */
import type { Request } from "express";
import { type Html, html } from "../../core/pages/html.ts";
import { cookieIn } from "../../core/pages/serving.ts";
import { en, type Words, zh } from "./messages.ts";

export const languages = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof languages;

export const isLanguage = (text: unknown): text is Language =>
  typeof text === "string" && Object.hasOwn(languages, text);

const cookieName = "fedcredit-language";

/** @returns the cookie that keeps a choice for a year. */
export const languageCookie = (language: Language): string =>
  `${cookieName}=${language}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000`;

export interface Locale {
  readonly language: Language;
  /** BCP 47. */
  readonly tag: string;
  readonly words: Words;
  /** Four significant digits. */
  number(value: number): string;
  fixed(value: number, digits: number): string;
  percent(share: number): string;
  bytes(count: number): string;
  /** @param millis - Unix milliseconds; in the time zone of the coordinator's machine, which is named. */
  moment(millis: number): Html;
  day(millis: number): Html;
  /** @param day - ISO date, in it. */
  month(day: string): string;
  duration(seconds: number): string;
}

function localeOf(language: Language, tag: string, words: Words): Locale {
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
    // On one line, however narrow.
    month: (day) => monthOf.format(Date.parse(day)).replaceAll(" ", "\u00a0"),
    duration(of) {
      if (of < 120) return seconds.format(Math.ceil(of));
      if (of < 7200) return minutes.format(Math.ceil(of / 60));
      return of < 2 * 86_400 ? hours.format(Math.ceil(of / 3600)) : days.format(Math.ceil(of / 86_400));
    },
  };
}

const locales: Readonly<Record<Language, Locale>> = {
  en: localeOf("en", "en-GB", en),
  zh: localeOf("zh", "zh-CN", zh),
};

export function localeFor(request: Request): Locale {
  const chosen = cookieIn(request.headers.cookie, cookieName);
  if (isLanguage(chosen)) return locales[chosen];
  const spoken = request.acceptsLanguages("en", "zh");
  return locales[isLanguage(spoken) ? spoken : "en"];
}
