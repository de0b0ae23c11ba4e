import { theme } from "@photinus/monitor";
import { type CSSResultGroup, css } from "lit";

/** What the pages add to the tokens of the elements: frame, brand, forms. */
export const pageStyles: CSSResultGroup = [
  theme,
  css`
    :host {
      container-type: normal;
      min-height: 100vh;
      font-size: 15px;
    }
    .frame {
      max-width: 1240px;
      margin: 0 auto;
      padding: 0 20px 40px;
    }
    .top {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 8px 20px;
      min-height: 68px;
      margin: 0;
      padding: 12px 0;
    }
    .brand {
      display: inline-flex;
      align-items: center;
      gap: 9px;
      color: inherit;
      font-size: 16px;
      font-weight: 600;
      letter-spacing: -0.012em;
      text-decoration: none;
    }
    .brand svg {
      width: 22px;
      height: 22px;
      fill: var(--_glow);
    }
    a {
      color: inherit;
      text-underline-offset: 3px;
    }
    h1 {
      margin: 0;
      font-size: 30px;
      font-weight: 600;
      line-height: 1.18;
      letter-spacing: -0.025em;
      text-wrap: balance;
    }
    label {
      font-weight: 500;
    }
    input[type="text"],
    input[type="password"],
    select {
      min-height: 36px;
      max-width: 100%;
      padding: 4px 10px;
      border: 1px solid var(--_strong);
      border-radius: 8px;
      background: var(--_surface);
      color: inherit;
      font: inherit;
      font-size: 14px;
    }
    .primary,
    .secondary {
      min-height: 42px;
      padding: 8px 20px;
      border-radius: 10px;
      font-size: 15px;
      font-weight: 600;
    }
    .primary {
      border-color: transparent;
      background: light-dark(#1a1c20, #cde84a);
      color: light-dark(#ffffff, #15180a);
    }
    .primary:hover:not(:disabled) {
      border-color: transparent;
      background: light-dark(#3a3e45, #dcf36b);
      color: light-dark(#ffffff, #15180a);
    }
    .secondary {
      border-color: var(--_line);
      color: inherit;
    }
    .pick {
      display: inline-flex;
      align-items: center;
      cursor: pointer;
      font-weight: 600;
      border: 1px solid var(--_line);
    }
    .pick:hover {
      border-color: var(--_strong);
    }
    .pick:focus-within {
      outline: 2px solid var(--_accuracy);
      outline-offset: 2px;
    }
    button:disabled {
      opacity: 0.45;
      cursor: not-allowed;
    }
    .foot {
      display: flex;
      flex-wrap: wrap;
      gap: 4px 20px;
      margin-top: 20px;
      color: var(--_muted);
      font-size: 12.5px;
    }
    .foot .push {
      margin-left: auto;
    }
    @media (max-width: 560px) {
      .frame {
        padding: 0 14px 32px;
      }
      h1 {
        font-size: 25px;
      }
      .foot .push {
        margin-left: 0;
      }
    }
  `,
];
