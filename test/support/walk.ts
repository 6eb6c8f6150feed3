/** A walk through pages in a browser, and what is wrong with them. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";

/** A page of a browser that says what went wrong in it, and to whom it spoke. @param origin - of the pages */
export async function watchedTab(
  browser: Browser,
  origin: string,
  width: number,
  language: string,
): Promise<{ tab: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, locale: language });
  const tab = await context.newPage();
  const complaints: string[] = [];
  tab.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  tab.on("pageerror", (error) => complaints.push(error.message));
  tab.on("request", (request) => {
    if (!request.url().startsWith(origin)) complaints.push(`asks ${request.url()}`);
  });
  return { tab, complaints };
}

/** Nothing overflows, nothing ran, one heading. */
export async function shown(tab: Page): Promise<string[]> {
  const found: string[] = [];
  const path = new URL(tab.url()).pathname;
  if (!(await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")))
    found.push(`${path} overflows`);
  if ((await tab.evaluate("document.querySelectorAll('h1').length")) !== 1) found.push(`${path}: headings`);
  if ((await tab.evaluate("window.stolen")) !== undefined) found.push(`${path}: something ran`);
  return found;
}

/** Nor does axe find anything serious. */
export async function sound(tab: Page): Promise<string[]> {
  const found = await shown(tab);
  const path = new URL(tab.url()).pathname;
  // By the debugger, which the page's content security policy does not bind.
  await tab.evaluate(axe.source);
  const { violations } = (await tab.evaluate("axe.run({ resultTypes: ['violations'] })")) as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  for (const { id, impact, nodes } of violations)
    if (["serious", "critical"].includes(impact))
      found.push(`${path}: ${id}: ${nodes[0]?.html.slice(0, 200)}`);
  return found;
}
