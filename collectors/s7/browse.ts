import type { Found } from "../runtime/found.ts";
import { S7Channel } from "./channel.ts";
import type { S7Config } from "./config.ts";
import { noSuchBlock, type Place, S7Error } from "./protocol.ts";

const mostBytes = 65_536;
const shownBytes = 32;

/**
 * Looks which data blocks a controller lets us read, and how long they are. There is no list to ask for that every
 * controller gives, so each number is tried.
 *
 * @param first - number of the first block. @param count - how many numbers are tried.
 * @throws {Error} where there is no controller, or it does not let us in.
 */
export async function browseS7(
  config: Pick<S7Config, "host" | "port" | "rack" | "slot" | "timeout">,
  signal: AbortSignal,
  first: number,
  count: number,
): Promise<Found[]> {
  const channel = await S7Channel.open(config, signal);
  const read = async (place: Omit<Place, "area">): Promise<Buffer | "no block" | "no address"> => {
    try {
      return await channel.read({ ...place, area: "DB" });
    } catch (error) {
      if (!(error instanceof S7Error)) throw error;
      return error.code === noSuchBlock ? "no block" : "no address";
    }
  };
  try {
    const found: Found[] = [];
    for (let db = first; db < first + count; db++) {
      const begins = await read({ db, start: 0, bytes: 1 });
      if (begins === "no block") continue;
      if (begins === "no address") {
        found.push({ block: `DB${db}`, bytes: null, begins: "cannot be read: optimized, or protected" });
        continue;
      }
      // The last byte that is there lies between a number that is and one that is not.
      let [there, beyond] = [0, mostBytes];
      for (let step = 1; there + step < beyond; step *= 2) {
        const is = (await read({ db, start: there + step, bytes: 1 })) instanceof Buffer;
        if (is) there += step;
        else {
          beyond = there + step;
          break;
        }
      }
      while (beyond - there > 1) {
        const middle = (there + beyond) >> 1;
        if ((await read({ db, start: middle, bytes: 1 })) instanceof Buffer) there = middle;
        else beyond = middle;
      }
      const bytes = await read({ db, start: 0, bytes: Math.min(shownBytes, there + 1, channel.mostBytes) });
      found.push({
        block: `DB${db}`,
        bytes: there + 1,
        begins: bytes instanceof Buffer ? bytes.toString("hex") : "",
      });
    }
    return found;
  } finally {
    channel.destroy();
  }
}
