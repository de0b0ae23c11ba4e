import type { Bytes } from "@photinus/core/bytes";
import type { SiteStatus } from "@photinus/core/site";

/** Execution providers of a browser. */
export type BrowserDevice = "webgpu" | "wasm";

/** What one provider did with the timed steps. */
export interface DeviceTrial {
  readonly device: BrowserDevice;
  /** Training steps per second; 0 when it cannot train. */
  readonly stepsPerSecond: number;
  /** Threads of WebAssembly; 0 for WebGPU. */
  readonly threads: number;
  /** The adapter's own name, or why the provider cannot train. */
  readonly detail: string;
}

/** What the device check found. */
export interface DeviceReport {
  readonly trials: readonly DeviceTrial[];
  /** The faster provider; `undefined` when none trains. */
  readonly chosen: BrowserDevice | undefined;
}

/** What the link of this page leads to, and what this browser has of it already. */
export interface Invitation {
  readonly project: string;
  readonly serverName: string;
  /** Name of this browser in the project, when it joined before; empty otherwise. */
  readonly siteName: string;
}

/** The data of this site: IDX files, packed by gzip or not. They stay in the site worker and its trainers. */
export interface SiteDataFiles {
  /** Name of the data set, as jobs ask for it. */
  readonly dataName: string;
  readonly trainingImages: Bytes;
  readonly trainingLabels: Bytes;
  /** Absent: this site does not evaluate. */
  readonly heldOutImages?: Bytes;
  readonly heldOutLabels?: Bytes;
}

/** A job that asks to be trained here. */
export interface Proposal {
  readonly jobId: string;
  readonly name: string;
  readonly purpose: string;
  /** Who signed the job, and for which organization. */
  readonly submitter: string;
  readonly organization: string;
  readonly rounds: number;
  readonly localEpochs: number;
  readonly batchSize: number;
  /** Bytes of the model: what each round brings, and about what each contribution sends back. */
  readonly modelBytes: number;
}

/** What the page may ask of the site worker, by name: what it gives and what it gets. */
export interface SiteCalls {
  /** First of all. `fragment` is that of the join link; empty on a later visit. */
  readonly open: { readonly request: { readonly fragment: string }; readonly reply: Invitation };
  /** Times a few training steps on each provider; `device` restricts it to one. */
  readonly check: {
    readonly request: { readonly device: BrowserDevice | "fastest" };
    readonly reply: DeviceReport;
  };
  /** Hands the data over; the buffers are moved. */
  readonly useData: { readonly request: SiteDataFiles; readonly reply: null };
  /** Enrols unless that was done before, then connects and stays connected. */
  readonly join: { readonly request: null; readonly reply: { readonly siteName: string } };
  /** Answers a {@link Proposal}. */
  readonly decide: {
    readonly request: {
      readonly jobId: string;
      readonly accepts: boolean;
      /** Version of the text that was agreed to. */
      readonly textVersion: string;
    };
    readonly reply: null;
  };
  /** Answers a request to sign in. */
  readonly credential: {
    readonly request: {
      /** Of the request. */
      readonly nonce: string;
      /** ID token that the provider made for it; `null`: there is no provider to sign in at. */
      readonly token: string | null;
    };
    readonly reply: null;
  };
  /** Invites a further device of this participant; the fragment of its join link is a secret, good for an hour. */
  readonly inviteDevice: { readonly request: null; readonly reply: { readonly fragment: string } };
  /** Disconnects until `resume`; a round that runs is given up. */
  readonly pause: { readonly request: null; readonly reply: null };
  readonly resume: { readonly request: null; readonly reply: null };
  /** Disconnects for good and deletes key, certificate, agreements and data of the project. */
  readonly leave: { readonly request: null; readonly reply: null };
}

/** Name of a call. */
export type SiteCall = keyof SiteCalls;

/** What the site worker tells without being asked. */
export type SiteNews =
  | { readonly kind: "status"; readonly status: SiteStatus }
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  /** The server wants to know who this is: a person signs in, for a token of this nonce. `null`: nothing is asked any more. */
  | { readonly kind: "sign-in"; readonly nonce: string | null };
