import type { OutgoingContribution, SiteStatus } from "@photinus/core/site";
import type { DeviceReport, Invitation, Proposal } from "../site-port/index.ts";
import type { DataSummary } from "./data-summary.ts";
import type { DemoManifest } from "./demo-shard.ts";
import type { Pause } from "./power.ts";
import type { Obstacle } from "./requirements.ts";

/** The steps of joining, in order. */
export type JoinStep = "what" | "device" | "data" | "consent" | "training" | "left";

/** What went wrong last. */
export interface JoinFault {
  readonly code: string;
  readonly message: string;
}

/** All that the page shows. Immutable: each change is a new object. */
export interface JoinState {
  readonly step: JoinStep;
  /** What keeps this page from taking part. */
  readonly obstacle: Obstacle | undefined;
  /** True while the site worker is asked for something. */
  readonly isBusy: boolean;
  readonly fault: JoinFault | undefined;
  readonly invitation: Invitation | undefined;
  readonly report: DeviceReport | undefined;
  readonly demo: DemoManifest | undefined;
  /** Name under which picked files are offered to tasks. */
  readonly dataName: string;
  readonly data: DataSummary | undefined;
  readonly siteName: string;
  readonly proposal: Proposal | undefined;
  /** The box of the agreement. Never ticked by the page. */
  readonly hasTicked: boolean;
  readonly status: SiteStatus | undefined;
  readonly paused: Pause | undefined;
  readonly keepsAwake: boolean;
  /** Link for a further device, shown until it is put away; empty otherwise. A secret, and kept nowhere. */
  readonly deviceLink: string;
  /** The server wants this person to sign in; `undefined` while it does not. */
  readonly signIn: SignInRequest | undefined;
}

/** A sign-in that the server waits for. */
export interface SignInRequest {
  /** Address that leads to the provider. */
  readonly address: string;
  /** What the token is made for. */
  readonly nonce: string;
  /** The provider. */
  readonly issuer: string;
}

/** What the page begins with. */
export const FIRST_STATE: JoinState = {
  step: "what",
  obstacle: undefined,
  isBusy: true,
  fault: undefined,
  invitation: undefined,
  report: undefined,
  demo: undefined,
  dataName: "",
  data: undefined,
  siteName: "",
  proposal: undefined,
  hasTicked: false,
  status: undefined,
  paused: undefined,
  keepsAwake: false,
  deviceLink: "",
  signIn: undefined,
};

/** True when the job that was worked on has had its last round and nothing of it is on its way. */
export function isDone({ status }: JoinState): boolean {
  if (status?.job === undefined || status.activity !== "waiting") return false;
  return status.job.round >= status.job.rounds && status.outgoing.every(isSettled);
}

const isSettled = ({ receipt }: OutgoingContribution): boolean =>
  receipt === "committed" || receipt === "refused";
