export { type Actor, type Decision, decide, type JobFacts, type JobRight } from "./decide.ts";
export { type AdministrationOrder, decideOrder } from "./decide-order.ts";
