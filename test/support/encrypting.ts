import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";

/** A party's BFV that encrypts otherwise. Whoever shares the thread closes it. */
export const encryptingBy = (bfv: Bfv, encrypt: Bfv["encrypt"]): Bfv => ({
  // One by one: methods of a class are not copied by a spread, and a party without generateKey deals no key.
  generateKey: () => bfv.generateKey(),
  openSum: (chunks) => bfv.openSum(chunks),
  decrypt: (key, chunks, slots) => bfv.decrypt(key, chunks, slots),
  close: async () => {},
  encrypt,
});
