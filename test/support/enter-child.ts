/** Prints a line at each Enter until it is interrupted, as a demo that is kept does. */
import { onEnter } from "../../demo/on-enter.ts";
import { interruptible } from "../../simulate/interruption.ts";

await interruptible(async (interruption) => {
  using _ = onEnter(() => console.log("entered"));
  console.log("listens");
  await interruption;
}).catch(() => console.log("interrupted"));
