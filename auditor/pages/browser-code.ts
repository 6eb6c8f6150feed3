/** The code that verifies a receipt, as a browser takes it: the very files that run here, without their types. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);
const own = (file: string): URL => new URL(file, root);

/** What stands in the place of a module that a browser does not have, or finds by no name. */
const instead: Readonly<Record<string, URL>> = {
  "node:crypto": own("auditor/pages/browser-crypto.ts"),
  canonicalize: new URL(import.meta.resolve("canonicalize")),
};
const entries = ["privacy/log/proof.ts", "privacy/log/policy.ts", "auditor/pages/browser-crypto.ts"].map(own);

/** @returns the address that a file is served at: `/code/` and its place in the project. */
function addressOf(file: URL): string {
  const place = file.href.startsWith(root.href)
    ? file.href.slice(root.href.length)
    : file.href.slice(file.href.indexOf("node_modules/"));
  return `/code/${place.replace(/\.ts$/, ".js")}`;
}

/** @returns the text of each module by its address: those that verification begins with, and all that they import. */
export function browserModules(): ReadonlyMap<string, string> {
  const modules = new Map<string, string>();
  const add = (file: URL): string => {
    const address = addressOf(file);
    if (modules.has(address)) return address;
    // Modules may import each other in a circle.
    modules.set(address, "");
    const text = readFileSync(fileURLToPath(file), "utf8");
    const plain = file.href.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
    const imported = (_: string, before: string, name: string): string =>
      `${before}"${add(instead[name] ?? new URL(name, file))}"`;
    modules.set(address, plain.replace(/^((?:import|export)\b[^;"]*?\bfrom |import )"([^"]+)"/gm, imported));
    return address;
  };
  for (const file of entries) add(file);
  modules.set("/verify.js", verifyScript);
  return modules;
}

/**
 * What the button does: it fetches receipt and policy, or reads the files that were chosen, verifies here, and says
 * what it found as text.
 */
const verifyScript = `import { answered } from "/code/auditor/pages/browser-crypto.js";
import { parsePolicy } from "/code/privacy/log/policy.js";
import { verifyReceipt } from "/code/privacy/log/proof.js";

const form = document.querySelector("form[data-verify]");
const result = form.querySelector("output");
const proven = document.querySelector("[data-proven]");
const textOf = async (name) => {
  const file = form.elements[name]?.files?.[0];
  if (file !== undefined) return file.text();
  const response = await fetch(form.dataset[name]);
  if (!response.ok) throw new Error(form.dataset.unreachable);
  return response.text();
};
const say = (text, kind) => {
  result.textContent = text;
  result.className = kind;
};
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  say("…", "");
  proven.textContent = "";
  try {
    const [receipt, policy] = [await textOf("receipt"), await textOf("policy")];
    const { index, entry, checkpoint, cosigned } = await answered(() =>
      verifyReceipt(receipt, parsePolicy(policy)),
    );
    const witnesses = cosigned.map(({ witness }) => witness.name).join(", ");
    const { holds, nobody } = form.dataset;
    const told = { index, size: checkpoint.size, log: checkpoint.origin, witnesses: witnesses || nobody };
    say(holds.replaceAll(/\\{(\\w+)\\}/g, (_, name) => told[name]), "good");
    proven.textContent = JSON.stringify(JSON.parse(new TextDecoder().decode(entry)), null, 2);
  } catch (error) {
    say(form.dataset.fails + " " + (error.reason === undefined ? "" : error.reason + ": ") + error.message, "alarm");
  }
});
`;
