/** A member whose node is unmodified and whose line is not: it says what the attacker likes, over the real wire. */
import {
  Transport,
  type WireCoordinatorMessage,
  type WirePartyMessage,
} from "../../client-node/federation/transport.ts";

export interface Line {
  /** Changes, multiplies or (by []) drops what the member says. */
  readonly up: (message: WirePartyMessage) => readonly WirePartyMessage[];
  /** Listens in. */
  readonly down: (message: WireCoordinatorMessage) => void;
}

/** @param address - by which the member, and nobody else, reaches the coordinator. @returns what ends it. */
export function tapLine(address: string, { up, down }: Line): Disposable {
  const honest = Transport.prototype.participate;
  Transport.prototype.participate = function (this: Transport) {
    const stream = honest.call(this);
    if (this.address !== address) return stream;
    return {
      send: (message) => {
        for (const said of up(message)) stream.send(said);
      },
      end: () => stream.end(),
      cancel: () => stream.cancel(),
      async *[Symbol.asyncIterator]() {
        for await (const message of stream) {
          down(message);
          yield message;
        }
      },
    };
  };
  return {
    [Symbol.dispose]() {
      Transport.prototype.participate = honest;
    },
  };
}
