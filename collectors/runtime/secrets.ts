import { readFile } from "node:fs/promises";
import { Refusal } from "../../core/reasons.ts";
import type { Secret } from "./fields.ts";

/**
 * @returns the secret's text, without the line end editors add.
 * @throws {Refusal} file_missing, or config_invalid if the variable is not set or the secret is empty.
 */
export async function readSecret(secret: Secret): Promise<string> {
  const text =
    "env" in secret ? (process.env[secret.env] ?? "") : await readConfigured(secret.file).then(String);
  const value = text.replace(/\r?\n$/, "");
  if (value === "") {
    const source = "env" in secret ? `environment variable ${secret.env}` : secret.file;
    throw new Refusal("config_invalid", `${source} holds no secret`);
  }
  return value;
}

/** @throws {Refusal} file_missing if a file that the configuration names cannot be read. */
export async function readConfigured(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Refusal("file_missing", `cannot read ${path}`, { cause });
  }
}
