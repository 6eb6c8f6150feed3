import { type Locale as LocaleOf, localesOf } from "../../core/pages/locale.ts";
import { en, type Words, zh } from "./words.ts";

/** The page's words, and dates, numbers and amounts as their language writes them. */
export type Locale = LocaleOf<Words>;

export const localeFor = localesOf<Words>({ en, zh });
