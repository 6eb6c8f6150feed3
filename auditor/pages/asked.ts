/** What every page is made from. */
import type { Content } from "../../core/pages/html.ts";
import type { Locale as LocaleOf } from "../../core/pages/locale.ts";
import type { ShownLog } from "./shown-log.ts";
import type { Words } from "./words.ts";

export type Locale = LocaleOf<Words>;

export interface View {
  readonly title: string;
  readonly body: Content;
  /** Address of a module that the page runs. */
  readonly module?: string;
  readonly status?: number;
}

/** What a page is made from. */
export interface Asked {
  readonly log: ShownLog;
  readonly locale: Locale;
  /** Of the address; what is there several times is none. */
  readonly query: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
}

/** @returns the entry's place that an address names, where the log has it. */
export function placeIn({ entries }: ShownLog, text: string | undefined): number | undefined {
  return text !== undefined && /^(0|[1-9]\d{0,14})$/.test(text) && Number(text) < entries.length
    ? Number(text)
    : undefined;
}
