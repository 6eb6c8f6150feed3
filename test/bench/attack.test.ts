/** The short form of `npm run attack`: attacks on unmodified nodes over gRPC, each with its control. */
import test from "ava";
import { attacks } from "../../bench/attack/attacks.ts";
import { play } from "../../bench/attack.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";

const bfv = await openBfv();
test.after.always(() => bfv.close());

for (const attack of attacks.filter(({ quick }) => quick || process.env.SLOW === "1"))
  test.serial(`${attack.name}: met, and successful without the defence`, async (t) => {
    const [met, control] = await play(attack, bfv);
    t.true(met!.holds, `${met!.value} ${met!.unit}, ${met!.target}`);
    t.true(control!.holds, `without the defence ${control!.value} ${control!.unit}, ${control!.target}`);
  });

test("names tell attacks apart", (t) => {
  t.is(new Set(attacks.map(({ name }) => name)).size, attacks.length);
});
