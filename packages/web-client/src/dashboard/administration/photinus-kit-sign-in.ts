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
import { pageTransport } from "../../page-transport.ts";
import { faultOf } from "./administration-model.ts";
import { droppedFiles, type PickedFile, pickedFiles, readKitFiles } from "./kit-files.ts";
import { type SignedInPerson, signInWithKit } from "./sign-in-with-kit.ts";

/** Told when somebody has signed in. */
export class SignedInEvent extends Event {
  /** Who it is. */
  readonly person: SignedInPerson;

  constructor(person: SignedInPerson) {
    super("photinus-signed-in", { bubbles: true, composed: true });
    this.person = person;
  }
}

/** `<photinus-kit-sign-in>`: takes a kit, as a zip file or a folder, and its passphrase, and tells who has signed in. */
export class PhotinusKitSignIn extends LitElement {
  static override properties: PropertyDeclarations = {
    files: { state: true },
    isBusy: { state: true },
    fault: { state: true },
  };

  static override styles: CSSResultGroup = [
    pageStyles,
    css`
      :host {
        min-height: 0;
      }
      form {
        display: grid;
        gap: 12px;
      }
      .drop {
        display: grid;
        gap: 12px;
        padding: 16px;
        border: 1px dashed var(--_strong);
        border-radius: 10px;
      }
      input:not(.sr) {
        width: 100%;
      }
      .picks {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .fault {
        color: var(--_refused);
      }
    `,
  ];

  /** What was picked or dropped. */
  declare files: readonly PickedFile[];
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
        <p id="kit"><strong>Startup kit:</strong> drop its zip file or its folder here, or pick it.</p>
        <div class="picks">
          <label class="secondary pick">
            Zip file
            <input class="sr" type="file" accept=".zip,application/zip" aria-describedby="kit" @change=${this.#onPick} />
          </label>
          <label class="secondary pick">
            Folder
            <input class="sr" type="file" webkitdirectory aria-describedby="kit" @change=${this.#onPick} />
          </label>
        </div>
        <p class="muted" role="status">${describePicked(files)}</p>
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
    if (!(target instanceof HTMLInputElement)) return;
    this.fault = undefined;
    this.files = pickedFiles(target.files ?? []);
  };

  readonly #onDrop = (event: DragEvent): void => {
    event.preventDefault();
    if (event.dataTransfer !== null) void this.#take(droppedFiles(event.dataTransfer));
  };

  async #take(dropped: Promise<readonly PickedFile[]>): Promise<void> {
    this.fault = undefined;
    this.files = [];
    try {
      this.files = await dropped;
    } catch (error) {
      this.fault = faultOf(error);
    }
  }

  readonly #signIn = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { target: form } = event;
    if (!(form instanceof HTMLFormElement)) return;
    const passphrase = String(new FormData(form).get("passphrase")).trim();
    this.isBusy = true;
    this.fault = undefined;
    try {
      const files = await readKitFiles(this.files);
      const person = await signInWithKit(files, passphrase, pageTransport());
      this.dispatchEvent(new SignedInEvent(person));
    } catch (error) {
      this.fault = faultOf(error);
    } finally {
      form.reset(); // the passphrase stays nowhere, not even in the field
      this.isBusy = false;
    }
  };
}

/** What was picked, in words. */
function describePicked(files: readonly PickedFile[]): string {
  const [only] = files;
  if (only === undefined) return "Nothing picked yet.";
  return files.length === 1 ? only.path : `${files.length} files of a kit.`;
}
