import test from "ava";
import { fromBase64, toBase64 } from "../../core/bytes.ts";
import { seededRandom } from "../../core/random.ts";

test("base64 is read in its one canonical form alone", (t) => {
  const random = seededRandom("base64");
  for (let length = 0; length < 70; length++) {
    const bytes = random.bytes(length);
    const text = Buffer.from(bytes).toString("base64");
    t.is(toBase64(bytes), text);
    t.deepEqual(fromBase64(text), new Uint8Array(bytes));
  }
  // Bits that no byte takes, no padding, too much of it, another alphabet, what is no letter of it.
  for (const text of ["AB==", "AAB=", "AA", "AA=", "AAAA====", "AA==AA==", "-_-_", "AA A", "AAA\n", "é"])
    t.is(fromBase64(text), undefined, text);
});
