import { type CSSResultGroup, css } from "lit";
import { pageStyles } from "../page/page-styles.css.ts";

/** Styles of the page that joins. */
export const joinStyles: CSSResultGroup = [
  pageStyles,
  css`
    .steps {
      display: flex;
      gap: 4px 22px;
      margin: 0 0 0 auto;
      font-size: 13px;
    }
    .steps li {
      display: flex;
      align-items: center;
      gap: 7px;
      color: var(--_muted);
    }
    .steps [aria-current] {
      color: var(--_text);
      font-weight: 600;
    }
    .sheet {
      max-width: 760px;
      margin: 3vh auto 0;
    }
    .sheet .card {
      display: grid;
      gap: 24px;
      padding: clamp(20px, 5vw, 44px);
    }
    .lead {
      max-width: 62ch;
      color: var(--_muted);
      font-size: 16px;
      text-wrap: pretty;
    }
    h1 + .lead {
      margin-top: -12px;
    }
    .actions {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 10px;
    }
    .two {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(min(250px, 100%), 1fr));
      gap: 20px 36px;
    }
    .two h2 {
      display: flex;
      align-items: center;
      gap: 9px;
      margin-bottom: 8px;
    }
    .two li {
      padding: 7px 0;
      border-top: 1px solid var(--_line);
      font-size: 14px;
    }
    .facts {
      display: grid;
      grid-template-columns: max-content minmax(0, 1fr);
      gap: 6px 20px;
      font-size: 14px;
    }
    .facts dt {
      color: var(--_muted);
    }
    .facts dd {
      overflow-wrap: anywhere;
    }
    .rows {
      border-bottom: 1px solid var(--_line);
    }
    .row {
      display: grid;
      grid-template-columns: 12px minmax(0, 1fr) auto;
      align-items: baseline;
      gap: 2px 14px;
      padding: 12px 0;
      border-top: 1px solid var(--_line);
    }
    .row .glyph {
      align-self: center;
    }
    .row strong {
      font-weight: 600;
    }
    .row small {
      grid-column: 2 / -1;
    }
    .choice {
      display: grid;
      gap: 8px;
      align-content: start;
      padding: 18px;
      border: 1px solid var(--_line);
      border-radius: 10px;
    }
    .choice p {
      color: var(--_muted);
      font-size: 13.5px;
    }
    .choice label:not(.pick) {
      display: grid;
      gap: 4px;
      font-size: 13.5px;
    }
    .choice button,
    .choice .pick {
      justify-self: start;
      margin-top: 4px;
    }
    .device {
      display: grid;
      grid-column: 1 / -1;
      gap: 12px;
    }
    .link {
      overflow-wrap: anywhere;
    }
    .sign-in {
      display: grid;
      justify-items: start;
      gap: 12px;
    }
    a.primary {
      display: inline-flex;
      align-items: center;
      text-decoration: none;
      overflow-wrap: anywhere;
    }
    .pictures {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(46px, 1fr));
      gap: 8px;
    }
    .pictures li {
      display: grid;
      gap: 2px;
      color: var(--_muted);
      font-size: 12px;
      text-align: center;
    }
    .terms {
      max-height: 320px;
      padding: 16px 18px;
      border: 1px solid var(--_line);
      border-radius: 10px;
      background: var(--_sunken);
      font-size: 14px;
    }
    .terms p + p {
      margin-top: 10px;
    }
    .tick {
      display: flex;
      gap: 12px;
      align-items: flex-start;
      font-weight: 500;
    }
    .tick input {
      flex: none;
      width: 20px;
      height: 20px;
      margin: 1px 0 0;
      accent-color: light-dark(#1a1c20, #cde84a);
    }
    .fault {
      display: flex;
      gap: 12px;
      align-items: baseline;
      padding: 12px 16px;
      border: 1px solid var(--_refused);
      border-radius: 10px;
      font-size: 14px;
    }
    .work {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: 16px;
    }
    .work h1 {
      font-size: 26px;
    }
    .work .now {
      display: grid;
      gap: 18px;
    }
    .now .state-line {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr) auto;
      align-items: center;
      gap: 6px 12px;
      font-size: 16px;
      font-weight: 500;
    }
    .now progress {
      width: 100%;
      height: 4px;
      border: 0;
      border-radius: 2px;
      overflow: hidden;
      background: var(--_line);
      appearance: none;
    }
    .now progress::-webkit-progress-bar {
      background: var(--_line);
    }
    .now progress::-webkit-progress-value {
      background: var(--_glow);
    }
    .now progress::-moz-progress-bar {
      background: var(--_glow);
    }
    .figures {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(118px, 1fr));
      gap: 16px 24px;
    }
    .figures dt {
      color: var(--_muted);
      font-size: 12.5px;
    }
    .figures dd {
      font-size: 22px;
      font-weight: 600;
      letter-spacing: -0.02em;
    }
    .figures small {
      display: block;
      line-height: 1.45;
      font-weight: 400;
      letter-spacing: 0;
    }
    .tensors td,
    .tensors th {
      padding: 6px 0 6px 12px;
      border-top: 1px solid var(--_line);
      white-space: nowrap;
    }
    .tensors thead th {
      border-top: 0;
    }
    .tensors th:first-child {
      padding-left: 0;
      overflow-wrap: anywhere;
      text-align: left;
      white-space: normal;
    }
    .tensors tbody th {
      color: var(--_text);
    }
    .outgoing {
      display: grid;
      gap: 14px;
      align-content: start;
    }
    .outgoing header {
      margin: 0;
    }
    .outgoing .scroll {
      max-height: 300px;
    }
    @media (min-width: 1000px) {
      .work {
        grid-template-columns: minmax(0, 5fr) minmax(0, 3fr);
      }
      .work .outgoing {
        grid-row: span 2;
      }
    }
    @media (max-width: 700px) {
      .steps li:not([aria-current]) span {
        display: none;
      }
      .steps {
        gap: 8px;
      }
      .sheet {
        margin-top: 0;
      }
      .actions button {
        flex: 1 1 auto;
      }
    }
  `,
];
