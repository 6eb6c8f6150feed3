import { Refusal } from "../../core/reasons.ts";
import type { BlobsHandlers } from "../../proto/generated/fedcredit/v1/Blobs.ts";
import type { UploadChunk__Output } from "../../proto/generated/fedcredit/v1/UploadChunk.ts";
import { chunkBytes } from "../../proto/wire.ts";
import type { Bank } from "../bank.ts";
import type { BlobStatus } from "../store/blobs.ts";
import { digestText, enterprise } from "./request.ts";
import type { Methods } from "./transport.ts";

export const blobsService = (bank: Bank, methods: Methods): BlobsHandlers => ({
  Stat: methods.unary(enterprise, ({ digest }, { id }) => bank.blobs.uploads.status(digestText(digest), id)),
  Upload: methods.upload(enterprise, (chunks, { id }) => upload(bank, chunks, id)),
  Fetch: methods.download(enterprise, async function* ({ digests }, _, { id }) {
    for (const digest of digests.map(digestText)) {
      // A ciphertext of another is read by who shares in its attempt, and by nobody else.
      const store = bank.shared.mayRead(id, digest) ? bank.blobs.uploads : bank.blobs.published;
      let before: Buffer | undefined;
      for await (const data of store.read(digest, 0, chunkBytes)) {
        if (before !== undefined) yield { data: before, last: false };
        before = data;
      }
      yield { data: before ?? Buffer.alloc(0), last: true };
    }
  }),
});

/** @throws Refusal upload_offset, upload_too_large, digest_mismatch, disk_full, message_malformed, message_unexpected */
async function upload(
  bank: Bank,
  chunks: AsyncIterable<UploadChunk__Output>,
  owner: string,
): Promise<BlobStatus> {
  const items = chunks[Symbol.asyncIterator]();
  const first = await items.next();
  if (first.done) throw new Refusal("message_malformed", "an upload has at least one chunk");
  const digest = digestText(first.value.digest);
  const { size } = first.value;
  const held = await bank.blobs.uploads.status(digest, owner);
  if (held.complete) return held;
  bank.allowance.take(digestText(first.value.roundId), owner, digest, size);
  const upload = await bank.blobs.uploads.upload(digest, size, owner);
  try {
    for (let item: IteratorResult<UploadChunk__Output> = first; !item.done; item = await items.next()) {
      const { offset, data } = item.value;
      if (data.length > chunkBytes)
        throw new Refusal("message_malformed", `a chunk has at most ${chunkBytes} bytes`);
      await upload.write(offset, data);
    }
    await upload.commit();
    return { committed: size, complete: true };
  } finally {
    await upload.close();
  }
}
