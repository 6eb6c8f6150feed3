/**
 * What verification asks of node:crypto, answered by a browser's own WebCrypto. A browser answers later: whoever asks
 * for the first time is told when the answer will be there, and asks again. So the code that verifies is the same in
 * both places, and no cipher is written here.
 */
import { concatBytes } from "../../core/bytes.ts";

class NotYet {
  readonly ready: Promise<unknown>;
  constructor(ready: Promise<unknown>) {
    this.ready = ready;
  }
}

const answers = new Map<string, unknown>();

/** Asks once. @throws NotYet, until the answer is there */
function answer<T>(question: string, input: Uint8Array, ask: () => Promise<T>): T {
  const key = `${question} ${String.fromCharCode(...input)}`;
  if (answers.has(key)) return answers.get(key) as T;
  throw new NotYet(ask().then((found) => answers.set(key, found)));
}

export const hash = (_: "sha256", input: Uint8Array<ArrayBuffer>, _form: "buffer"): Uint8Array =>
  answer(
    "sha256",
    input,
    async () => new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", input)),
  );

const ed25519DerLength = 44;

/** @returns the raw key: the last 32 bytes of its DER. @throws TypeError for a key that is not Ed25519 */
export function createPublicKey({ key }: { readonly key: Uint8Array }): Uint8Array {
  if (key.length !== ed25519DerLength) throw new TypeError("only Ed25519 is verified in a browser");
  return key.slice(-32);
}

export const verify = (
  _: null,
  message: Uint8Array<ArrayBuffer>,
  key: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): boolean =>
  answer("ed25519", concatBytes(key, signature, message), async () => {
    const known = await globalThis.crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return globalThis.crypto.subtle.verify("Ed25519", known, signature, message);
  });

const signsNothing = (): never => {
  throw new TypeError("nothing is signed in a browser");
};

export { signsNothing as createPrivateKey, signsNothing as sign };

/** @returns what the work returns once all that it asks for is there. */
export async function answered<T>(work: () => T): Promise<T> {
  for (;;)
    try {
      return work();
    } catch (error) {
      const wait = waitIn(error);
      if (wait === undefined) throw error;
      await wait.ready;
    }
}

/** Whoever catches it on the way passes it on as a cause. */
function waitIn(error: unknown): NotYet | undefined {
  if (error instanceof NotYet) return error;
  return error instanceof Error ? waitIn(error.cause) : undefined;
}
