/** A password's hash in one line of text: `scrypt N r p salt hash`, base64. */
import { scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Random } from "../random.ts";
import { Refusal } from "../reasons.ts";

const derive = promisify(
  (
    password: string,
    salt: Buffer,
    { N, r, p }: ScryptCost,
    done: (error: Error | null, key: Buffer) => void,
  ): void => scrypt(password.normalize("NFKC"), salt, 32, { N, r, p, maxmem: 256 * N * r }, done),
);

export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** @see OWASP Password Storage Cheat Sheet: 128 MiB a try */
const usualCost: ScryptCost = { N: 2 ** 17, r: 8, p: 1 };
const shortestPassword = 12;

/** @throws Refusal parameters_invalid where it is too short */
export async function hashPassword(password: string, random: Random, cost = usualCost): Promise<string> {
  if (password.length < shortestPassword)
    throw new Refusal("parameters_invalid", `the password has fewer than ${shortestPassword} characters`);
  const salt = Buffer.from(random.bytes(16));
  const key = await derive(password, salt, cost);
  const { N, r, p } = cost;
  return `scrypt ${N} ${r} ${p} ${salt.toString("base64")} ${key.toString("base64")}`;
}

export type PasswordCheck = (password: string) => Promise<boolean>;

/** @param text - as {@link hashPassword} gives it. @returns undefined where it is no password's hash */
export function passwordCheck(text: string): PasswordCheck | undefined {
  const [scheme, N, r, p, salt = "", hash = ""] = text.trim().split(" ");
  const wanted = Buffer.from(hash, "base64");
  if (scheme !== "scrypt" || wanted.length !== 32 || !(Number(N) > 1 && Number(r) > 0 && Number(p) > 0))
    return undefined;
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  return async (password) =>
    timingSafeEqual(await derive(password, Buffer.from(salt, "base64"), cost), wanted);
}
