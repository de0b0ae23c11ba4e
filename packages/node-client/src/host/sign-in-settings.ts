import { HostError } from "@photinus/core/errors";
import { requireSecureUrl } from "@photinus/node-platform";
import * as v from "valibot";

/** `local/sign-in.json` in the kit of a site or user: where it signs in when its server wants that beside the certificate. */
export interface SignInSettings {
  /** Issuer: the address below which the provider's configuration lies. */
  readonly issuer: string;
  /** The client that the provider knows this program as; a public one. */
  readonly clientId: string;
  /**
   * "browser": a person opens an address on this machine (code flow with PKCE, RFC 8252). "device": on any machine, with
   * a code (RFC 8628); only with a provider that puts the nonce of such a request into its tokens, as Keycloak does.
   */
  readonly flow: "browser" | "device";
  /** What is asked for. Default: openid. */
  readonly scopes?: readonly string[];
}

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

const SettingsSchema: v.GenericSchema<unknown, SignInSettings> = v.strictObject({
  issuer: v.pipe(
    text,
    v.check(isIssuer, "expected an https address (http on this machine only), without query and fragment"),
  ),
  clientId: text,
  flow: v.picklist(["browser", "device"]),
  scopes: v.exactOptional(
    v.pipe(v.array(v.pipe(text, v.regex(/^[!#-[\]-~]+$/))), v.minLength(1), v.maxLength(16)),
  ),
});

/**
 * Reads the content of `local/sign-in.json`.
 * @param locate says where in the file a value stands
 * @throws HostError `ERR_CONFIG_INVALID` naming the place of the first fault
 */
export function parseSignInSettings(
  value: unknown,
  locate: (path: readonly (string | number)[]) => string,
): SignInSettings {
  const result = v.safeParse(SettingsSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = (issue.path ?? []).flatMap(({ key }) =>
    typeof key === "string" || typeof key === "number" ? [key] : [],
  );
  throw new HostError("ERR_CONFIG_INVALID", `${locate(path)} ${path.join(".")}: ${issue.message}`);
}

function isIssuer(value: string): boolean {
  try {
    return requireSecureUrl(value).search === "";
  } catch {
    return false; // the schema says what was expected
  }
}
