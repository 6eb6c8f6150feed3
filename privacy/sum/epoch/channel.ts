/**
 * One sealed message from one member to another: an ephemeral X25519 key agrees on an AES-256-GCM key with the
 * recipient's share key. As in HPKE's base mode (RFC 9180 §5.1.1), but the sender keeps the ephemeral secret:
 * shown later, it opens this one message to anybody, which is how a complaint is settled. (@hpke/core takes an
 * ephemeral key of the caller's for tests only.)
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { canonicalBytes, type Digest } from "../../../core/canonical.ts";
import type { Random } from "../../../core/random.ts";
import { agreeKey, x25519Pair } from "../../identity.ts";
import type { PartyId } from "../graph.ts";
import type { ComplaintKind, Sealed } from "./messages.ts";

/** What a message is, so that it opens as nothing else. */
export interface Channel {
  readonly view: Digest;
  readonly kind: ComplaintKind;
  readonly from: PartyId;
  readonly to: PartyId;
}

// Each key seals one message ever.
const nonce = Buffer.alloc(12);
const tagBytes = 16;

const messageKey = ({ view, kind, from, to }: Channel, secret: Uint8Array, peerKey: Uint8Array): Uint8Array =>
  agreeKey(secret, peerKey, view, `fedcredit/v2/epoch-${kind} ${from} ${to}`);

/** Both public keys are named, as in the KEM context of RFC 9180. */
const associated = (channel: Channel, ephemeral: Uint8Array, recipientKey: Uint8Array): Uint8Array =>
  canonicalBytes({
    view: channel.view,
    kind: channel.kind,
    from: channel.from,
    to: channel.to,
    ephemeral: Buffer.from(ephemeral).toString("hex"),
    recipientKey: Buffer.from(recipientKey).toString("hex"),
  });

/** @returns the ephemeral secret to keep until nobody can complain any more, and what to send. */
export function sealTo(
  recipientKey: Uint8Array,
  channel: Channel,
  plaintext: Uint8Array,
  random: Random,
): { keep: Uint8Array; send: Sealed } {
  const keep = Uint8Array.from(random.bytes(32));
  const ephemeral = x25519Pair(keep).publicKey;
  const cipher = createCipheriv("aes-256-gcm", messageKey(channel, keep, recipientKey), nonce);
  cipher.setAAD(associated(channel, ephemeral, recipientKey));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { keep, send: { ephemeral, ciphertext: Uint8Array.from(ciphertext) } };
}

/** The recipient opens with its share key pair. @returns undefined when it does not open. */
export const openSealed = (
  recipient: { readonly secretKey: Uint8Array; readonly publicKey: Uint8Array },
  channel: Channel,
  sealed: Sealed,
): Uint8Array | undefined =>
  open(channel, recipient.secretKey, sealed.ephemeral, recipient.publicKey, sealed);

/** Anybody opens with the ephemeral secret. @returns undefined when it is another's, or nothing opens. */
export const openWithEphemeral = (
  secret: Uint8Array,
  recipientKey: Uint8Array,
  channel: Channel,
  sealed: Sealed,
): Uint8Array | undefined =>
  secret.length === 32 && Buffer.compare(x25519Pair(secret).publicKey, sealed.ephemeral) === 0
    ? open(channel, secret, recipientKey, recipientKey, sealed)
    : undefined;

function open(
  channel: Channel,
  secret: Uint8Array,
  peerKey: Uint8Array,
  recipientKey: Uint8Array,
  { ephemeral, ciphertext }: Sealed,
): Uint8Array | undefined {
  if (ciphertext.length < tagBytes) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", messageKey(channel, secret, peerKey), nonce)
      .setAAD(associated(channel, ephemeral, recipientKey))
      .setAuthTag(ciphertext.subarray(-tagBytes));
    const text = Buffer.concat([decipher.update(ciphertext.subarray(0, -tagBytes)), decipher.final()]);
    const plaintext = Uint8Array.from(text);
    text.fill(0);
    return plaintext;
  } catch {
    // an ephemeral key that gives no secret, or a tag that does not fit
    return undefined;
  }
}
