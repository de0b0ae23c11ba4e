export { type Decision, decide, type JobFacts, type JobRight } from "./decide.ts";
