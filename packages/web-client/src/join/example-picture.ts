import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { ExamplePicture } from "./data-summary.ts";

/** `<photinus-example>`: one example of the data, drawn on this device. */
export class PhotinusExample extends LitElement {
  static override properties: PropertyDeclarations = { picture: { attribute: false } };

  static override styles: CSSResultGroup = css`
    canvas {
      display: block;
      width: 100%;
      border-radius: 6px;
      image-rendering: pixelated;
    }
  `;

  /** What to draw. */
  declare picture: ExamplePicture | undefined;

  protected override render(): TemplateResult {
    const { columns = 1, rows = 1, label = 0 } = this.picture ?? {};
    return html`<canvas width=${columns} height=${rows} role="img" aria-label="example of ${label}"></canvas>`;
  }

  protected override updated(): void {
    const context = this.renderRoot.querySelector("canvas")?.getContext("2d");
    if (this.picture === undefined || context == null) return;
    const { rows, columns, pixels } = this.picture;
    const image = new ImageData(columns, rows);
    for (const [index, grey] of pixels.entries()) image.data.set([grey, grey, grey, 255], 4 * index);
    context.putImageData(image, 0, 0);
  }
}
