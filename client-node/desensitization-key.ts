import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../privacy/random.ts";
import { Refusal } from "../proto/reasons.ts";
import { readRefusal, writeRefusal } from "./files.ts";

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
  try {
    writeFileSync(path, `${Buffer.from(random.bytes(keyBytes)).toString("base64")}\n`, {
      mode: 0o600,
      flag: "wx",
      flush: true,
    });
  } catch (error) {
    const refusal = writeRefusal(path, error);
    if (refusal.reason !== "already_exists") throw refusal;
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
