/** The process of `refreshApart`: one job, one answer. */
import { computeRefresh, type RefreshJob } from "./refresh.ts";

process.once("message", async (job: RefreshJob) => {
  try {
    process.send!({ done: await computeRefresh(job) }, () => process.disconnect());
  } catch (error) {
    process.send!({ failed: String((error as Error).stack ?? error) }, () => process.disconnect());
  }
});
// Whoever asked is gone: nobody wants the answer.
process.once("disconnect", () => process.exit());
