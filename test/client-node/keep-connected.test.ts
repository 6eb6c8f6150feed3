import test from "ava";
import { keepConnected } from "../../client-node/node.ts";
import { seededRandom } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";

/** @returns how long it waits after each of three connections that stood and were lost. */
async function waits(reason: Reason): Promise<number[]> {
  const ending = new AbortController();
  const seen: number[] = [];
  const connect = async (onConnected: () => void): Promise<void> => {
    onConnected();
    throw new Refusal(reason, "lost");
  };
  await keepConnected(
    connect,
    seededRandom("keep connected"),
    ending.signal,
    (event) => {
      if (event.type === "disconnected" && seen.push(event.retryMillis) === 3) ending.abort();
    },
    () => {},
  );
  return seen;
}

test("a node whose connection a copy of it takes comes back ever later; one whose connection broke at once", async (t) => {
  const [first, , third] = await waits("message_unexpected");
  // Twice as long each time, of which the upper half is random.
  t.true(third! > first!);
  t.true(third! >= 800, String(third));
  for (const wait of await waits("unavailable")) t.true(wait <= 200, String(wait));
});

test("a clock that is wrong for a while ends no node that was connected, and one that never was at once", async (t) => {
  t.is((await waits("clock_skew")).length, 3);
  const never = keepConnected(
    () => Promise.reject(new Refusal("clock_skew", "a day ahead")),
    seededRandom("never connected"),
    new AbortController().signal,
    () => {},
    () => {},
  );
  t.is((await t.throwsAsync(never, { instanceOf: Refusal }))?.reason, "clock_skew");
});
