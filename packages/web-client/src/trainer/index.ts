export { browserTrainers } from "./browser-trainers.ts";
