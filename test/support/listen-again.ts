import { setTimeout as delay } from "node:timers/promises";

const tries = 100;

/**
 * Begins a server anew where it was. Its port is one that the system gives to whoever asks for any: between its end and
 * its new beginning another process's connection may have it for a moment.
 */
export async function listenAgain<Server>(listen: () => Promise<Server>): Promise<Server> {
  for (let tried = 1; ; tried++) {
    try {
      return await listen();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || tried === tries) throw error;
      await delay(50);
    }
  }
}
