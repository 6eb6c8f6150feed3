/** A job apart that tells which process began it. */
import { answerJob } from "../../client-node/operations/apart.ts";

answerJob(async () => process.ppid);
