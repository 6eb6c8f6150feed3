/** Prints a line at each Enter until it is interrupted, as a demo that is kept does. */
import { onEnter } from "../../demo/on-enter.ts";
import { interruptible } from "../../simulate/interruption.ts";

// What a kept demo has running: without it a process whose input is closed has nothing to wait for.
const running = setInterval(() => {}, 60_000);
await interruptible(async (interruption) => {
  using _ = onEnter(() => console.log("entered"));
  console.log("listens");
  await interruption;
}).catch(() => console.log("interrupted"));
clearInterval(running);
