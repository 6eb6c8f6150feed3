/** policy.yaml as the page changes it: whole or not at all, and only what is a policy. */
import { chmodSync, realpathSync, statSync } from "node:fs";
import { type Digest, digestOf } from "../core/canonical.ts";
import { replaceFile } from "../core/files.ts";
import { Refusal } from "../core/reasons.ts";
import { parseYaml, readText } from "../core/yaml.ts";
import { type Policy, policySchema } from "./policy.ts";

export class PolicyFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns what stands in the file, and its digest. @throws Refusal file_missing */
  read(): { readonly text: string; readonly digest: Digest } {
    const text = readText(this.#path);
    return { text, digest: digestOf(text) };
  }

  /** @throws Refusal already_exists, where the file says something else than the text of this digest */
  requireUnchanged(base: Digest): void {
    if (this.read().digest === base) return;
    throw new Refusal("already_exists", "policy.yaml was changed meanwhile", {
      hint: "load the page again and decide from what stands there now",
    });
  }

  /**
   * @param base - digest of the text that the change was made from.
   * @throws Refusal already_exists, where the file says something else by now; file_malformed, config_invalid, where the
   *   text is no policy; disk_full, file_missing
   */
  replace(base: Digest, text: string): Policy {
    const policy = parseYaml(text, "policy.yaml", policySchema);
    this.requireUnchanged(base);
    // Whoever keeps the file elsewhere keeps it there, as readable as it is.
    const path = realpathSync(this.#path);
    const mode = statSync(path).mode & 0o777;
    replaceFile(path, text, mode);
    // The umask of whoever started the node takes nothing away from it.
    chmodSync(path, mode);
    return policy;
  }
}
