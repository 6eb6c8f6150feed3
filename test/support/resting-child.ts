/** A node that rests between refusals loses its bank, with nothing else to do: prints whether its process lives on. */
import { Stage } from "../../bench/attack/stage.ts";
import { digestOf } from "../../core/canonical.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { encodeHeader } from "../../privacy/sum/header.ts";

const refusals = 25;
const bfv = await openBfv();
const stage = await Stage.open(bfv, { honest: 3 });
const header = await stage.header(await stage.study());
for (let i = 0; i < refusals; i++) {
  const unknown = { ...header, study: digestOf(`study ${i}`), threshold: 2 };
  await stage.bank.ask(stage.victim, {
    type: "open",
    header: encodeHeader(unknown),
    lifts: [],
    evidence: new Uint8Array(),
  });
}
for (const id of stage.honest) if (id !== stage.victim) stage.nodes.get(id)!.drop();
await stage.bank[Symbol.asyncDispose]();
setTimeout(() => {
  process.stdout.write("lives on\n");
  process.exit();
}, 3000).unref();
