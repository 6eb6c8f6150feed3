import { type Browser, chromium } from "playwright-core";
import { findProgram } from "../../collectors/simulators/programs.ts";

/** @returns the path of a browser, or undefined where none is installed. */
export const findChromium = (): string | undefined =>
  findProgram("chromium", "chromium-browser", "google-chrome");

/** A browser that talks to nobody but the pages it is shown. */
export const startChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
