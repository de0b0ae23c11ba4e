import { type CSSResult, css } from "lit";

/** Lists, forms and tabs of the administration, from 390 px on. */
export const administrationStyles: CSSResult = css`
  nav {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
    margin-bottom: 16px;
  }
  [role="tab"] {
    min-height: 36px;
    padding: 6px 14px;
    font-size: 14px;
  }
  [role="tab"][aria-selected="true"] {
    border-color: var(--_strong);
    color: var(--_text);
    font-weight: 600;
  }
  .list {
    display: grid;
    gap: 12px;
  }
  .entry {
    display: grid;
    gap: 12px;
  }
  .entry > h2 {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 4px 12px;
    overflow-wrap: anywhere;
  }
  .pill {
    padding: 1px 8px;
    border: 1px solid var(--_line);
    border-radius: 999px;
    color: var(--_muted);
    font-size: 12px;
    font-weight: 400;
  }
  .pill.bad {
    border-color: var(--_refused);
    color: var(--_refused);
  }
  .fingerprint {
    font: 13px/1.7 var(--_mono);
    letter-spacing: 0.02em;
    overflow-wrap: anywhere;
  }
  form {
    display: grid;
    gap: 10px;
    grid-template-columns: minmax(0, 1fr);
    align-items: end;
  }
  @media (min-width: 720px) {
    form {
      grid-template-columns: repeat(3, minmax(0, 1fr));
    }
    form .wide {
      grid-column: span 2;
    }
  }
  form label {
    display: grid;
    gap: 4px;
    font-size: 13px;
  }
  form input {
    width: 100%;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
  }
  .actions button {
    min-height: 36px;
    padding: 6px 14px;
    font-size: 14px;
  }
  .danger {
    border-color: var(--_refused);
    color: var(--_refused);
  }
  .fault {
    margin-bottom: 12px;
    color: var(--_refused);
  }
  .news {
    min-height: 20px;
    margin-bottom: 12px;
    color: var(--_muted);
  }
  .link {
    padding: 10px 12px;
    border-radius: 8px;
    background: var(--_sunken);
    font: 12.5px/1.5 var(--_mono);
    overflow-wrap: anywhere;
  }
`;
