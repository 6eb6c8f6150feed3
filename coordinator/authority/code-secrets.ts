/** Secrets of sign-in codes as the database keeps them: sealed under a key that no dump or backup of it holds. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readRefusal, writeNewFiles } from "../../core/files.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Bank } from "../bank.ts";
import type { CoordinatorConfig } from "../config.ts";

const algorithm = "aes-256-gcm";
const keyFile = (config: Pick<CoordinatorConfig, "keys">): string => join(config.keys, "console.key");

/** @returns 32 bytes, made where there are none yet. @throws Refusal file_missing, file_malformed, disk_full */
async function codeKey(config: CoordinatorConfig, random: Random): Promise<Buffer> {
  const path = keyFile(config);
  if (!existsSync(path))
    writeNewFiles([{ path, text: `${Buffer.from(random.bytes(32)).toString("base64")}\n`, mode: 0o600 }]);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw readRefusal(path, cause);
  });
  const key = Buffer.from(text.trim(), "base64");
  if (key.length !== 32)
    throw new Refusal("file_malformed", `${path} holds no key of 32 bytes`, {
      hint: "restore it from the copy of the keys; where there is none, remove it, and remove and add the console's users",
    });
  return key;
}

/** @returns `aes-256-gcm nonce ciphertext tag`, base64, which opens for this user only. */
export async function sealCodes(
  { config, random }: Pick<Bank, "config" | "random">,
  user: string,
  secret: string,
): Promise<string> {
  const nonce = Buffer.from(random.bytes(12));
  const cipher = createCipheriv(algorithm, await codeKey(config, random), nonce).setAAD(Buffer.from(user));
  const sealed = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
  return [algorithm, ...[nonce, sealed, cipher.getAuthTag()].map((part) => part.toString("base64"))].join(
    " ",
  );
}

/** @throws Refusal file_malformed, where the key is another, or the text was altered; file_missing */
export async function openCodes(
  { config, random }: Pick<Bank, "config" | "random">,
  user: string,
  text: string,
): Promise<string> {
  const [name, ...parts] = text.split(" ");
  const [nonce, sealed, tag] = parts.map((part) => Buffer.from(part, "base64"));
  const key = await codeKey(config, random);
  try {
    if (name !== algorithm || nonce?.length !== 12 || sealed === undefined || tag?.length !== 16)
      throw new Error("not sealed");
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: 16 });
    decipher.setAAD(Buffer.from(user)).setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new Refusal("file_malformed", `the codes of ${user} are not sealed under ${keyFile(config)}`, {
      hint: "restore that file from the copy of the keys, or remove the user and add it again",
      cause,
    });
  }
}

/** Seals what an earlier version kept as it is. */
export async function sealOldCodes(bank: Pick<Bank, "config" | "database" | "random">): Promise<void> {
  await bank.database.transaction(async (sql) => {
    const rows = await sql`
      SELECT name, totp_secret FROM console_user WHERE totp_secret NOT LIKE ${`${algorithm} %`} FOR UPDATE`;
    for (const { name, totp_secret: secret } of rows) {
      const sealed = await sealCodes(bank, name as string, secret as string);
      await sql`UPDATE console_user SET totp_secret = ${sealed} WHERE name = ${name}`;
    }
  });
}
