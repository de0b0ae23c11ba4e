import type { Certificate } from "../pki/index.ts";

/** With no more than this left the next kit of the server gets another certificate of the enrolment CA: half its life. */
const ENROLMENT_RESERVE_MS = 45 * 86_400_000;
const DAY_MS = 86_400_000;

/** True while the next kit of the server goes on with this certificate of the enrolment CA. */
export function isLastingEnrolment({ notAfterMs }: Pick<Certificate, "notAfterMs">, nowMs: number): boolean {
  return notAfterMs > nowMs + ENROLMENT_RESERVE_MS;
}

/**
 * What an administrator is told while an enrolment CA can still be renewed in time; `undefined` before. Once it has
 * expired nobody joins by a link, and who has joined is not renewed.
 */
export function endOfEnrolment(
  certificate: Pick<Certificate, "notAfterMs">,
  nowMs: number,
): { readonly seen: string; readonly remedy: string } | undefined {
  if (isLastingEnrolment(certificate, nowMs)) return undefined;
  const days = Math.floor((certificate.notAfterMs - nowMs) / DAY_MS);
  const seen =
    days < 0 ? "the enrolment CA has expired: nobody can join" : `the enrolment CA ends in ${days} days`;
  const remedy =
    "Renew the server's kit: photinus provision project.yml -o PROJECT --renew SERVER (with key: requested, photinus cert sign again). Put it in place and start the server again.";
  return { seen, remedy };
}
