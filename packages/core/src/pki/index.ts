export type { Participant, Role } from "./participant.ts";
