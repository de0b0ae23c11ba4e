import type { PhotinusError } from "@photinus/core/errors";
import type { Identity } from "@photinus/core/pki";
import type { Connector } from "@photinus/core/platform";
import { connectSession, type Session } from "@photinus/core/session";
import { clock, crypto, type Ground } from "./a-ground.ts";

/** Connects as `identity`, over the ground's connector or another one. */
export async function logIn(
  ground: Ground,
  identity: Identity,
  connector: Connector = ground.connector,
): Promise<Session> {
  const connection = await connector.connect(new AbortController().signal);
  return await connectSession(connection, { ...ground.common, identity }, { clock, crypto });
}

/** The error with which a log-in fails; it has to. */
export async function refusalOf(attempt: Promise<unknown>): Promise<PhotinusError> {
  try {
    await attempt;
  } catch (error) {
    return error as PhotinusError; // the assertions on its code tell when it is not
  }
  throw new Error("it was let in");
}
