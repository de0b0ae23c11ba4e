export { type MadeJob, makeJob } from "./make-job.ts";
export { trainedModel } from "./trained-model.ts";
