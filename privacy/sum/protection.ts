import { z } from "zod";

/** The only encryption of this version: BFV, ring degree, coefficient bits, plaintext bits. */
export const encryptionName = "bfv-4096-60-42";

/**
 * The protection that a sum runs under: one value, in the signed header and on every page and export that shows
 * a model. A kind of noise is one more alternative of `noise` here, and nowhere else.
 */
export const protectionSchema = z.strictObject({
  masks: z.literal(true),
  encryption: z.literal(encryptionName),
  noise: z.enum(["none", "discrete-gaussian"]).describe("what is added before the sum"),
});

export type Protection = z.infer<typeof protectionSchema>;

/** @returns what a sum runs under. @param terms - of its noise; undefined without. */
export const protectionOf = (terms: object | undefined): Protection => ({
  masks: true,
  encryption: encryptionName,
  noise: terms === undefined ? "none" : "discrete-gaussian",
});

/** @returns the layers that are off: what manifest, header and every policy must list as `unprotected`. */
export function layersOff({ noise }: Protection): "noise"[] {
  switch (noise) {
    case "none":
      return ["noise"];
    case "discrete-gaussian":
      return [];
  }
}
