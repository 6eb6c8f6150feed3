import { Refusal } from "../../core/reasons.ts";
import type { Message } from "../jt808.ts";

/** Parts a message may have: 255 KB, more than any report needs. */
const partLimit = 256;

/** Puts messages together that were too long for one frame; one connection sends one at a time. */
export class Parts {
  #id = -1;
  #first = -1;
  #bodies: (Buffer | undefined)[] = [];

  /**
   * @returns the whole message once its last missing part came, numbered as its first part.
   * @throws {Refusal} message_malformed where it would be too long.
   */
  add(message: Message): Message | undefined {
    const { part, ...rest } = message;
    if (part === undefined) return message;
    if (part.total > partLimit) throw new Refusal("message_malformed", `message of ${part.total} parts`);
    // Parts are numbered one after the other, so this tells messages of one kind apart.
    const first = (message.serial - (part.index - 1)) & 0xffff;
    if (this.#id !== message.id || this.#first !== first || this.#bodies.length !== part.total) {
      this.#id = message.id;
      this.#first = first;
      this.#bodies = new Array<Buffer | undefined>(part.total).fill(undefined);
    }
    this.#bodies[part.index - 1] = Buffer.from(message.body);
    if (this.#bodies.includes(undefined)) return undefined;
    const body = Buffer.concat(this.#bodies as Buffer[]);
    this.#id = -1;
    return { ...rest, serial: first, body };
  }
}
