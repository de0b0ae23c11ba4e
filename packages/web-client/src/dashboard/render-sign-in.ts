import { type CSSResult, css, html, nothing, type TemplateResult } from "lit";
import { SIGN_IN_PATH, type SignedInUser } from "./sign-in-session.ts";

/** Styles of {@link renderProvider} and {@link renderUser}. */
export const signInStyles: CSSResult = css`
  .provider {
    display: grid;
    place-items: center;
    text-align: center;
    text-decoration: none;
    overflow-wrap: anywhere;
  }
  .user {
    display: grid;
    justify-items: end;
    min-width: 0;
    font-size: 14px;
    line-height: 1.3;
    overflow-wrap: anywhere;
  }
  .user small {
    font-size: 12.5px;
  }
`;

/** The way to the identity provider; nothing where the server has none. */
export function renderProvider(issuer: string | undefined): TemplateResult | typeof nothing {
  if (issuer === undefined) return nothing;
  return html`
    <a class="primary provider" href=${SIGN_IN_PATH}>Sign in with ${hostOf(issuer)}</a>
    <p class="muted">
      You then see what this server shows, and may do what it decides alone. Commands for sites need a kit.
    </p>
  `;
}

/** Who is signed in. @param place class of the place in its row */
export function renderUser({ name, role, org }: SignedInUser, place: string): TemplateResult {
  return html`<span class="user ${place}">
    ${name}<small class="muted">${role.replace("_", " ")}, ${org}</small>
  </span>`;
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : "your organization";
}
