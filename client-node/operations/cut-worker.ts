/** The process of `writeApart`. */
import { answerJob } from "./apart.ts";
import type { CutJob } from "./cut-apart.ts";
import { writeSegment } from "./segments.ts";
import { SpoolReader } from "./spool-reader.ts";

/** Bytes of the engine. */
const engineBytes = 450e6;

answerJob(async ({ spool, folder, intent, classes }: CutJob) => {
  const reader = SpoolReader.open(spool);
  try {
    return await writeSegment(reader, intent, { folder, classes }, { threads: 1, memoryBytes: engineBytes });
  } finally {
    reader.close();
  }
});
