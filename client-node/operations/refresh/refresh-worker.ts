/** The process of `refreshApart`. */
import { answerJob } from "../apart.ts";
import { computeRefresh, type RefreshJob } from "./refresh.ts";

answerJob((job: RefreshJob) => computeRefresh(job));
