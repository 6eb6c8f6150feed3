import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readRefusal, writeNewFiles } from "../../core/files.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";

const keyBytes = 32;

/**
 * The root of the pseudonyms and of every other keyed operator; made when it is first needed. Without the file
 * nobody can link a pseudonym to its subject: deleting it erases the link.
 *
 * @returns 32 bytes.
 * @throws Refusal file_missing, file_malformed, disk_full
 */
export function desensitizationKey(dataDir: string, random: Random): Uint8Array {
  const path = join(dataDir, "desensitization.key");
  const made = Buffer.from(random.bytes(keyBytes)).toString("base64");
  try {
    writeNewFiles([{ path, text: `${made}\n`, mode: 0o600 }]);
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== "already_exists") throw error;
  }
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw readRefusal(path, error);
  }
  const key = Buffer.from(text, "base64");
  if (key.length !== keyBytes || key.toString("base64") !== text.trim())
    throw new Refusal("file_malformed", `${path}: not a key of ${keyBytes} bytes`, {
      hint: "restore it from its backup, or delete it: pseudonyms then change",
    });
  return key;
}
