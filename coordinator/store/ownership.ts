import type pg from "pg";

// Any constant that only this lock uses.
const ownerLock = 0x66_65_64_30;
const ownershipTries = 10;

export interface Ownership {
  release(): Promise<void>;
}

/**
 * One coordinator at a time works on a database. The lock is the session's: PostgreSQL frees it as soon as it
 * notices that the process which held it is gone, and where it restarts; it is then taken again.
 * @param connect - a session of its own.
 * @param pause - before the lock is tried again.
 * @param onRival - called whenever another is found to hold the lock that this one had.
 * @returns undefined where another coordinator holds it.
 */
export async function takeOwnership(
  connect: () => Promise<pg.Client>,
  pause: () => Promise<void>,
  onRival: () => void,
): Promise<Ownership | undefined> {
  let session: pg.Client | undefined;
  let isReleased = false;

  const tryOnce = async (): Promise<boolean> => {
    const opened = await connect();
    const { rows } = await opened.query("SELECT pg_try_advisory_lock($1) AS taken", [ownerLock]);
    if (!rows[0].taken || isReleased) {
      await opened.end();
      return false;
    }
    session = opened;
    opened.once("end", () => void again());
    return true;
  };
  const again = async (): Promise<void> => {
    for (let isMine: boolean | undefined; !isMine; ) {
      await pause();
      if (isReleased) return;
      isMine = await tryOnce().catch(() => undefined);
      if (isMine === false) onRival();
    }
  };

  for (let tries = 1; !(await tryOnce()); tries++) {
    if (tries === ownershipTries) return undefined;
    await pause();
  }
  return {
    release: async () => {
      isReleased = true;
      await session?.end().catch(() => {});
    },
  };
}
