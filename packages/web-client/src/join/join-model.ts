import { PhotinusError } from "@photinus/core/errors";
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type {
  BrowserDevice,
  SiteCall,
  SiteCalls,
  SiteClient,
  SiteDataFiles,
  SiteNews,
} from "../site-port/index.ts";
import { SiteCallError } from "../site-port/index.ts";
import { CONSENT_TEXT } from "./consent-text.ts";
import { summarizeData } from "./data-summary.ts";
import { findDemoShard, loadDemoShard } from "./demo-shard.ts";
import { FIRST_STATE, type JoinState } from "./join-state.ts";
import { OwnCurveSource } from "./own-curve.ts";
import { readFiles, sortFiles } from "./picked-files.ts";
import { type Pause, watchPower } from "./power.ts";
import { findObstacle, holdTheOnlyTab, OTHER_TAB } from "./requirements.ts";
import { findProvider, hearSignedIn, signInAddress } from "./sign-in-channel.ts";

/** What the page works with. */
export interface JoinModules {
  /** Starts the site worker. */
  readonly startSite: (onNews: (news: SiteNews) => void) => SiteClient;
  /** Fragment of the join link; empty on a later visit. */
  readonly fragment: string;
  /** Device that the address asks for; "fastest" unless it does. */
  readonly device: BrowserDevice | "fastest";
}

/** Until the server is asked again where people sign in, ms. */
const ASK_AGAIN_MS = 5000;

/** The steps that the page leads through; each method is one thing that a person does. */
export class JoinModel implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #modules: JoinModules;
  readonly #abort: AbortController = new AbortController();
  readonly curve: OwnCurveSource = new OwnCurveSource();
  #state: JoinState = FIRST_STATE;
  #site: SiteClient | undefined;
  #files: SiteDataFiles | undefined;
  #wakeLock: WakeLockSentinel | undefined;

  constructor(host: ReactiveControllerHost, modules: JoinModules) {
    this.#host = host;
    this.#modules = modules;
    host.addController(this);
  }

  /** What to show. */
  get state(): JoinState {
    return this.#state;
  }

  hostConnected(): void {
    void this.#begin();
  }

  hostDisconnected(): void {
    this.#abort.abort();
    this.#site?.close();
  }

  /** Goes to a step that was reached before or is next. */
  goTo(step: JoinState["step"]): void {
    this.#change({ step, fault: undefined });
  }

  /** Times the providers of this browser. */
  async checkDevice(): Promise<void> {
    this.#change({ step: "device", report: undefined });
    await this.#busy(async () => {
      this.#change({ report: await this.#call("check", { device: this.#modules.device }) });
    });
  }

  /** Takes the demo data of the server. */
  async useDemoData(): Promise<void> {
    const { demo } = this.#state;
    if (demo !== undefined)
      await this.#busy(async () => this.#look(await loadDemoShard(demo, this.#abort.signal)));
  }

  /** Names the data that is picked, as the task calls it. */
  nameData(dataName: string): void {
    this.#change({ dataName });
  }

  /** Takes what somebody picked. */
  async useFiles(files: readonly File[]): Promise<void> {
    const { dataName } = this.#state;
    await this.#busy(async () => this.#look(await sortFiles(dataName, await readFiles(files))));
  }

  /** Hands the data to the site worker, enrols and connects; then waits for a task. */
  async join(): Promise<void> {
    const files = this.#files;
    if (files === undefined) return;
    await this.#busy(async () => {
      await this.#call("useData", files);
      this.#change({ step: "consent", proposal: undefined, hasTicked: false });
      const { siteName } = await this.#call("join", null);
      this.#change({ siteName });
    });
  }

  /** Ticks or clears the box of the agreement. */
  tick(hasTicked: boolean): void {
    this.#change({ hasTicked });
  }

  /** Answers the task that is asked for. */
  async decide(accepts: boolean): Promise<void> {
    const { proposal, hasTicked } = this.#state;
    if (proposal === undefined || (accepts && !hasTicked)) return;
    await this.#busy(async () => {
      await this.#call("decide", { jobId: proposal.jobId, accepts, textVersion: CONSENT_TEXT.version });
      this.#change(accepts ? { step: "training" } : { proposal: undefined, hasTicked: false });
    });
  }

  /** Stops or goes on, because somebody asked. */
  async setPaused(isPaused: boolean): Promise<void> {
    await this.#busy(() => this.#pause(isPaused ? "asked" : undefined));
  }

  /** Asks the browser to keep the screen on, or lets go. */
  async setAwake(keepsAwake: boolean): Promise<void> {
    await this.#busy(async () => {
      await this.#wakeLock?.release();
      this.#wakeLock = keepsAwake ? await navigator.wakeLock.request("screen") : undefined;
      this.#change({ keepsAwake });
    });
  }

  /** Disconnects for good and deletes what this page keeps. */
  async leave(): Promise<void> {
    await this.#busy(async () => {
      await this.#call("leave", null);
      await this.#wakeLock?.release();
      this.#files = undefined;
      this.#change({ step: "left", data: undefined, proposal: undefined, deviceLink: "" });
    });
  }

  /** Makes a link by which another device of this person takes part under the same name. */
  async inviteDevice(): Promise<void> {
    await this.#busy(async () => {
      const { fragment } = await this.#call("inviteDevice", null);
      this.#change({ deviceLink: `${location.origin}/join#${fragment}` });
    });
  }

  /** Copies the link for another device. */
  async copyDeviceLink(): Promise<void> {
    await this.#busy(() => navigator.clipboard.writeText(this.#state.deviceLink));
  }

  /** Shows the link for another device no more. */
  putDeviceLinkAway(): void {
    this.#change({ deviceLink: "" });
  }

  /** Connects again, after a sign-in that the server refused. */
  async retry(): Promise<void> {
    await this.#busy(async () => {
      await this.#call("pause", null);
      await this.#call("resume", null);
    });
  }

  async #begin(): Promise<void> {
    const obstacle = await findObstacle({
      isSecureContext,
      origin: location.origin,
      subtle: globalThis.crypto?.subtle,
    });
    if (obstacle !== undefined) return this.#change({ obstacle, isBusy: false });
    if (!(await holdTheOnlyTab(navigator.locks))) return this.#change({ obstacle: OTHER_TAB, isBusy: false });
    await this.#busy(async () => {
      hearSignedIn((signedIn) => {
        if (signedIn.nonce === this.#state.signIn?.nonce) void this.#busy(() => this.#answer(signedIn));
      }, this.#abort.signal);
      this.#site = this.#modules.startSite((news) => this.#onNews(news));
      const invitation = await this.#call("open", { fragment: this.#modules.fragment });
      this.#change({ invitation, siteName: invitation.siteName });
      const demo = await findDemoShard(this.#abort.signal);
      this.#change({ demo, dataName: demo?.dataName ?? "" });
    });
  }

  async #look(files: SiteDataFiles): Promise<void> {
    this.#change({ data: await summarizeData(files) });
    this.#files = files;
  }

  #onNews(news: SiteNews): void {
    if (news.kind === "proposal") {
      this.#change({ proposal: news.proposal, hasTicked: false, step: "consent" });
      return;
    }
    if (news.kind === "sign-in") {
      this.#wantedNonce = news.nonce;
      if (news.nonce === null) this.#change({ signIn: undefined });
      else void this.#askToSignIn(news.nonce);
      return;
    }
    this.curve.show(news.status);
    this.#change({ status: news.status });
    this.#countDown();
    if (news.status.fault?.code === "ERR_SUPERSEDED" && this.#state.paused === undefined) {
      // Two devices that connect again in turns would take the work from each other: the person decides.
      void this.#busy(() => this.#pause("other-device"));
    }
    if (
      news.status.job !== undefined &&
      this.#state.step === "consent" &&
      this.#state.proposal === undefined
    ) {
      // An agreement of an earlier visit still stands: the task goes on without being asked for again.
      this.#change({ step: "training" });
    }
    if (this.#state.step === "training" && this.#state.paused === undefined) void this.#watchPowerOnce();
  }

  /** What the session wants a token for at present. */
  #wantedNonce: string | null = null;

  /** Shows where to sign in. A server whose pages can sign in nowhere lets this one in nowhere either. */
  async #askToSignIn(nonce: string): Promise<void> {
    const found = await findProvider(this.#abort.signal).catch((error: unknown) => ({ error }));
    if (this.#wantedNonce !== nonce || this.#abort.signal.aborted) return; // another session asks by now, or none
    if (typeof found === "object") {
      // The server did not say: that is no answer to the session, which goes on waiting.
      this.#change({ fault: faultOf(found.error) });
      setTimeout(() => {
        if (this.#wantedNonce === nonce) void this.#askToSignIn(nonce);
      }, ASK_AGAIN_MS);
      return;
    }
    this.#change({ fault: undefined });
    if (found === undefined)
      await this.#answer({ nonce, token: null }).catch(() => undefined); // it waits no more
    else this.#change({ signIn: { nonce, issuer: found, address: signInAddress(nonce) } });
  }

  async #answer(answer: SiteCalls["credential"]["request"]): Promise<void> {
    await this.#call("credential", answer);
  }

  #isCountingDown = false;

  /** Shows the seconds until the next attempt to connect, each second, for as long as there is one. */
  #countDown(): void {
    if (this.#isCountingDown || this.#state.status?.retryAtMs === undefined) return;
    this.#isCountingDown = true;
    setTimeout(() => {
      this.#isCountingDown = false;
      this.#host.requestUpdate();
      if (!this.#abort.signal.aborted) this.#countDown();
    }, 1000);
  }

  #isWatchingPower = false;

  async #watchPowerOnce(): Promise<void> {
    if (this.#isWatchingPower) return;
    this.#isWatchingPower = true;
    await watchPower((reason) => {
      const { paused, step } = this.#state;
      const isUpToPeople = paused === "asked" || paused === "other-device";
      if (step === "training" && !isUpToPeople && paused !== reason)
        void this.#busy(() => this.#pause(reason));
    });
  }

  async #pause(reason: Pause | undefined): Promise<void> {
    this.#change({ paused: reason });
    await this.#call(reason === undefined ? "resume" : "pause", null);
  }

  #call<Call extends SiteCall>(
    call: Call,
    request: SiteCalls[Call]["request"],
  ): Promise<SiteCalls[Call]["reply"]> {
    if (this.#site === undefined) throw new TypeError("the site worker was not started");
    return this.#site.call(call, request);
  }

  async #busy(action: () => Promise<void>): Promise<void> {
    this.#change({ isBusy: true, fault: undefined });
    try {
      await action();
    } catch (error) {
      this.#change({ fault: faultOf(error) });
    } finally {
      this.#change({ isBusy: false });
    }
  }

  #change(change: Partial<JoinState>): void {
    this.#state = { ...this.#state, ...change };
    this.#host.requestUpdate();
  }
}

function faultOf(error: unknown): { readonly code: string; readonly message: string } {
  const code = error instanceof PhotinusError || error instanceof SiteCallError ? error.code : "ERR_INTERNAL";
  return { code, message: error instanceof Error ? error.message : "something failed that should not" };
}
