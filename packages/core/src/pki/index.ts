export type { Identity } from "./identity.ts";
export type { Participant, Role } from "./participant.ts";
