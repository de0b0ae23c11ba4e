import { join, resolve } from "node:path";
import { LOCAL_AUTHENTICATION, LOCAL_FOLDER, LOCAL_SIGN_IN } from "@photinus/core/provision";
import type { CredentialSource } from "@photinus/core/session";
import { oidcCredentials, parseSignInSettings } from "@photinus/node-client";
import { readSecretFile } from "@photinus/node-platform";
import {
  type AuthenticationSettings,
  type PhotinusServerOptions,
  parseAuthenticationSettings,
} from "@photinus/node-server";
import { isAbsent, type LocatedFile, readLocatedJson } from "./located-file.ts";

/**
 * What a server's kit says about identity providers; `undefined` without such a file.
 * @throws HostError `ERR_CONFIG_INVALID` with file, line and column
 */
export async function authenticationOf(kit: string): Promise<AuthenticationSettings | undefined> {
  const file = await localFile(join(kit, LOCAL_AUTHENTICATION));
  return file === undefined ? undefined : parseAuthenticationSettings(file.value, file.locate);
}

/**
 * Secrets of the server's clients at the providers of its pages; without those of clients that have none.
 * @throws ProvisionError `ERR_KIT_UNREADABLE` when a file cannot be read
 */
export async function clientSecretsOf(
  kit: string,
  settings: AuthenticationSettings | undefined,
): Promise<Pick<PhotinusServerOptions, "dashboardSecret" | "joinPageSecret">> {
  const [dashboardSecret, joinPageSecret] = await Promise.all(
    [settings?.dashboard, settings?.joinPage].map((client) =>
      client?.clientSecretFile === undefined
        ? undefined
        : readSecretFile(resolve(kit, LOCAL_FOLDER, client.clientSecretFile)),
    ),
  );
  return {
    ...(dashboardSecret === undefined ? {} : { dashboardSecret }),
    ...(joinPageSecret === undefined ? {} : { joinPageSecret }),
  };
}

/**
 * Where a participant's kit says that it signs in; `undefined` without such a file.
 * @param tell shows a person what to do
 * @throws HostError `ERR_CONFIG_INVALID` with file, line and column
 */
export async function credentialsOf(
  kit: string,
  tell: (text: string) => void,
): Promise<CredentialSource | undefined> {
  const file = await localFile(join(kit, LOCAL_SIGN_IN));
  return file === undefined
    ? undefined
    : oidcCredentials(parseSignInSettings(file.value, file.locate), { tell });
}

async function localFile(path: string): Promise<LocatedFile | undefined> {
  return (await isAbsent(path)) ? undefined : await readLocatedJson(path);
}
