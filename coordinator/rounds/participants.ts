/** The enterprises that are connected now: one participation stream each. */
import type * as grpc from "@grpc/grpc-js";
import { Refusal } from "../../core/reasons.ts";
import type { CoordinatorEpochMessage, PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { CoordinatorRoundMessage, Hello, PartyRoundMessage } from "../../privacy/sum/messages.ts";
import type { CoordinatorMessage as WireCoordinatorMessage } from "../../proto/generated/fedcredit/v1/CoordinatorMessage.ts";
import type { PartyMessage__Output as WirePartyMessage } from "../../proto/generated/fedcredit/v1/PartyMessage.ts";
import { fromOneof, protocolVersion, statusOf, toOneof } from "../../proto/wire.ts";
import type { Bank } from "../bank.ts";

type Stream = grpc.ServerDuplexStream<WirePartyMessage, WireCoordinatorMessage>;

type Said = PartyRoundMessage | PartyEpochMessage;

/** Who listens to the enterprises. */
export interface Audience {
  joined(party: PartyId): void;
  gone(party: PartyId): void;
  message(party: PartyId, message: Said): void;
}

export class Participants {
  readonly #bank: Pick<Bank, "log">;
  readonly #streams = new Map<PartyId, Stream>();
  /** What the connected ones said of their software. */
  readonly #versions = new Map<PartyId, string>();
  #audience: Audience | undefined;
  #closed = false;

  constructor(bank: Pick<Bank, "log">) {
    this.#bank = bank;
  }

  listen(audience: Audience): void {
    this.#audience = audience;
  }

  isPresent(party: PartyId): boolean {
    return this.#streams.has(party);
  }

  /** @returns the software version of a party that is connected, in its own words. */
  versionOf(party: PartyId): string | undefined {
    return this.isPresent(party) ? this.#versions.get(party) : undefined;
  }

  present(): PartyId[] {
    return [...this.#streams.keys()].sort();
  }

  /** Says something to a party; one that is not connected hears it when it joins again. */
  send(party: PartyId, message: CoordinatorRoundMessage | CoordinatorEpochMessage): void {
    this.#streams.get(party)?.write(toOneof<WireCoordinatorMessage>(message));
  }

  /** Serves one stream until it ends. Its first message is `hello`. */
  serve(party: PartyId, stream: Stream): void {
    const end = (error: unknown): void => {
      this.#leave(party, stream);
      stream.emit("error", statusOf(error));
    };
    stream.on("data", (wire: WirePartyMessage) => {
      try {
        this.#take(party, stream, fromOneof<Hello | Said>(wire));
      } catch (error) {
        if (!(error instanceof Refusal)) this.#bank.log.error({ err: error, party }, "participation failed");
        end(error);
      }
    });
    stream.on("end", () => {
      this.#leave(party, stream);
      stream.end();
    });
    stream.on("cancelled", () => this.#leave(party, stream));
    stream.on("error", () => this.#leave(party, stream));
  }

  /** Ends every stream and takes no more. */
  close(): void {
    this.#closed = true;
    for (const party of this.present())
      this.end(party, new Refusal("unavailable", "the coordinator shuts down"));
  }

  /** Ends a party's stream, if it has one. */
  end(party: PartyId, why: Refusal): void {
    const stream = this.#streams.get(party);
    if (stream === undefined) return;
    this.#leave(party, stream);
    stream.emit("error", statusOf(why));
  }

  #take(party: PartyId, stream: Stream, message: Hello | Said): void {
    const known = this.#streams.get(party) === stream;
    if (message.type === "hello") {
      if (known) throw new Refusal("message_unexpected", "hello was said before");
      if (message.protocolVersion !== protocolVersion)
        throw new Refusal(
          "protocol_version",
          `this coordinator speaks version ${protocolVersion}, the node ${message.protocolVersion}`,
        );
      this.#join(party, stream);
      this.#versions.set(party, message.softwareVersion.slice(0, 40));
    } else {
      if (!known) throw new Refusal("message_unexpected", "the first message is hello");
      this.#audience?.message(party, message);
    }
  }

  #join(party: PartyId, stream: Stream): void {
    if (this.#closed) throw new Refusal("unavailable", "the coordinator shuts down");
    const before = this.#streams.get(party);
    if (before !== undefined) {
      // A node that lost its connection comes back before the old one is known to be dead.
      this.#leave(party, before);
      const replaced = new Refusal("message_unexpected", "another connection of this enterprise opened");
      before.emit("error", statusOf(replaced));
    }
    this.#streams.set(party, stream);
    this.#bank.log.info({ party }, "enterprise connected");
    this.#audience?.joined(party);
  }

  #leave(party: PartyId, stream: Stream): void {
    if (this.#streams.get(party) !== stream) return;
    this.#streams.delete(party);
    this.#versions.delete(party);
    this.#bank.log.info({ party }, "enterprise disconnected");
    this.#audience?.gone(party);
  }
}
