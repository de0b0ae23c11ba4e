import { webCrypto } from "@photinus/core/platform";
import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { remedyOf } from "../../join/steps/fault.ts";
import { pageStyles } from "../../page/page-styles.css.ts";
import { asSentence } from "../../page/sentence.ts";
import { systemClock } from "../../system-clock.ts";
import { socketUrl, webSocketConnector } from "../../web-socket-connector.ts";
import { faultOf } from "./administration-model.ts";
import { readKitFiles, type SignedInPerson, signInWithKit } from "./sign-in-with-kit.ts";

/** Told when somebody has signed in. */
export class SignedInEvent extends Event {
  /** Who it is. */
  readonly person: SignedInPerson;

  constructor(person: SignedInPerson) {
    super("photinus-signed-in", { bubbles: true, composed: true });
    this.person = person;
  }
}

/** `<photinus-kit-sign-in>`: takes the files of a kit and its passphrase, and tells who has signed in. */
export class PhotinusKitSignIn extends LitElement {
  static override properties: PropertyDeclarations = {
    files: { state: true },
    isBusy: { state: true },
    fault: { state: true },
  };

  static override styles: CSSResultGroup = [
    pageStyles,
    css`
      form {
        display: grid;
        gap: 12px;
      }
      .drop {
        display: grid;
        gap: 8px;
        padding: 16px;
        border: 1px dashed var(--_strong);
        border-radius: 10px;
      }
      input {
        width: 100%;
      }
      .fault {
        color: var(--_refused);
      }
    `,
  ];

  /** What was picked or dropped. */
  declare files: readonly File[];
  /** True while the kit is opened and the server is asked. */
  declare isBusy: boolean;
  /** What went wrong last. */
  declare fault: { readonly code: string; readonly message: string } | undefined;

  constructor() {
    super();
    this.files = [];
    this.isBusy = false;
    this.fault = undefined;
  }

  protected override render(): TemplateResult {
    const { files, isBusy, fault } = this;
    return html`<form @submit=${this.#signIn}>
      <div class="drop" @dragover=${(event: DragEvent) => event.preventDefault()} @drop=${this.#onDrop}>
        <label for="kit">Files of your startup kit</label>
        <input id="kit" type="file" multiple @change=${this.#onPick} aria-describedby="picked" />
        <p id="picked" class="muted">
          ${files.length === 0 ? "Pick or drop all files of the kit together." : `${files.length} files of a kit.`}
        </p>
      </div>
      <label for="passphrase">Passphrase of the kit</label>
      <input id="passphrase" name="passphrase" type="password" autocomplete="off" maxlength="1024" required />
      <button class="primary" ?disabled=${isBusy || files.length === 0}>${isBusy ? "Signing in…" : "Sign in"}</button>
      ${
        fault === undefined
          ? nothing
          : html`<p role="alert">
              <span class="fault">${asSentence(fault.message)}</span> ${remedyOf(fault.code)} <code>${fault.code}</code>
            </p>`
      }
    </form>`;
  }

  readonly #onPick = ({ target }: Event): void => {
    if (target instanceof HTMLInputElement) this.files = [...(target.files ?? [])];
  };

  readonly #onDrop = (event: DragEvent): void => {
    event.preventDefault();
    this.files = [...(event.dataTransfer?.files ?? [])];
  };

  readonly #signIn = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { target: form } = event;
    if (!(form instanceof HTMLFormElement)) return;
    const passphrase = String(new FormData(form).get("passphrase")).trim();
    this.isBusy = true;
    this.fault = undefined;
    try {
      const clock = systemClock();
      const connector = webSocketConnector({ url: socketUrl() }, { clock });
      const files = await readKitFiles(this.files);
      const person = await signInWithKit(files, passphrase, { clock, crypto: webCrypto(), connector });
      this.dispatchEvent(new SignedInEvent(person));
    } catch (error) {
      this.fault = faultOf(error);
    } finally {
      form.reset(); // the passphrase stays nowhere, not even in the field
      this.isBusy = false;
    }
  };
}
