import { hash } from "node:crypto";

/** A message that the broker waits for us to acknowledge. */
interface Open {
  messageId: number;
  /** The connection it came on; an earlier one cannot be answered any more. */
  connection: number;
  stored: boolean;
}

/** What is read of a PUBLISH. */
export interface TakenPacket {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly messageId?: number;
  readonly dup: boolean;
}

/**
 * Which messages are taken but not acknowledged, across connections.
 *
 * A broker sends again, in the old order and before anything new, what was not acknowledged when a connection
 * broke. Such a message is in our hands already: it is recognised by topic and payload and not handed on twice,
 * and it is acknowledged once its first copy is stored. (Only within one run: after a crash the spool tells
 * repeated readings apart.)
 *
 * @see MQTT 5.0, sections 4.4 and 4.6
 */
export class Receipts {
  readonly #byContent = new Map<string, Open[]>();
  /** Content of the last messages acknowledged, by packet identifier: the broker may not have heard. */
  readonly #acknowledged = new Map<number, string>();
  #connection = 0;
  #waiting = 0;
  #acknowledge: (messageId: number) => void = () => {};

  /** Messages of this connection that are not stored yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @param sessionPresent - whether the broker kept our session: if not, nothing will be sent again. */
  connected(sessionPresent: boolean, acknowledge: (messageId: number) => void): void {
    this.#connection++;
    this.#waiting = 0;
    this.#acknowledge = acknowledge;
    if (sessionPresent) return;
    this.#byContent.clear();
    this.#acknowledged.clear();
  }

  disconnected(): void {
    this.#connection++;
    this.#waiting = 0;
    this.#acknowledge = () => {};
  }

  /**
   * Takes note of a message.
   *
   * @returns what to call once it is stored, or undefined if it is a repetition and not to be handed on.
   */
  take({ topic, payload, messageId = 0, dup }: TakenPacket): (() => void) | undefined {
    const content = `${topic} ${hash("sha256", payload, "base64")}`;
    // A second copy of what was acknowledged, because the PUBACK was lost with its connection. Here the broker's
    // own words are needed (DUP, and the identifier it must re-use): equal content alone is no proof any more.
    if (dup && this.#acknowledged.get(messageId) === content) {
      this.#acknowledge(messageId);
      return undefined;
    }
    const open = this.#byContent.get(content) ?? [];
    const repeated = open.find((o) => o.connection < this.#connection);
    if (repeated !== undefined) {
      repeated.messageId = messageId;
      repeated.connection = this.#connection;
      if (repeated.stored) this.#settle(content, repeated);
      else this.#waiting++;
      return undefined;
    }
    const mine: Open = { messageId, connection: this.#connection, stored: false };
    open.push(mine);
    this.#byContent.set(content, open);
    this.#waiting++;
    return () => {
      mine.stored = true;
      if (mine.connection !== this.#connection) return;
      this.#waiting--;
      this.#settle(content, mine);
    };
  }

  #settle(content: string, settled: Open): void {
    this.#acknowledge(settled.messageId);
    this.#acknowledged.set(settled.messageId, content);
    const rest = this.#byContent.get(content)?.filter((o) => o !== settled) ?? [];
    if (rest.length > 0) this.#byContent.set(content, rest);
    else this.#byContent.delete(content);
  }
}
