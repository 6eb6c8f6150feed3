import test from "ava";
import { KeptWrites } from "../../../client-node/operations/kept-writes.ts";

test("while the disk is full writes wait, and then come in their order, once", (t) => {
  const causes: string[] = [];
  const writes = new KeptWrites(({ message }) => causes.push(message));
  const written: number[] = [];
  let isFull = false;
  const write = (n: number) => () => {
    if (isFull) throw new Error("full");
    written.push(n);
  };
  writes.add(write(1));
  isFull = true;
  writes.add(write(2));
  writes.add(write(3));
  t.deepEqual([written, causes], [[1], ["full"]]);
  isFull = false;
  writes.again();
  writes.add(write(4));
  t.deepEqual(written, [1, 2, 3, 4]);
});
