import { Refusal } from "../../core/reasons.ts";
import type { BlobsHandlers } from "../../proto/generated/fedcredit/v1/Blobs.ts";
import type { UploadChunk__Output } from "../../proto/generated/fedcredit/v1/UploadChunk.ts";
import { chunkBytes } from "../../proto/wire.ts";
import type { Bank } from "../bank.ts";
import type { BlobStatus } from "../store/blobs.ts";
import { digestText, enterprise, everyone } from "./request.ts";
import type { Methods } from "./transport.ts";

export const blobsService = (bank: Bank, methods: Methods): BlobsHandlers => ({
  Stat: methods.unary(enterprise, ({ digest }, { id }) => bank.blobs.uploads.status(digestText(digest), id)),
  Upload: methods.upload(enterprise, (chunks, { id }) => upload(bank, chunks, id)),
  Download: methods.download(everyone, async function* ({ digest: bytes, offset }, _, { role, id }) {
    const digest = digestText(bytes);
    const isShared = role === "enterprise" && bank.shared.mayRead(id, digest);
    const store = isShared ? bank.blobs.uploads : bank.blobs.published;
    for await (const data of store.read(digest, offset, chunkBytes)) yield { data };
  }),
});

/** @throws Refusal upload_offset, upload_too_large, digest_mismatch, disk_full, message_malformed */
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
