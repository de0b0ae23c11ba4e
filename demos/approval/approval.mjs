// A plug-in that asks a service by HTTP about each job before a server takes it. Plain JavaScript: a host loads it as it is.

/** Longest answer that is read, in bytes. */
const MAX_ANSWER = 4096;

/**
 * @param {{ url: string, waitSeconds?: number }} options where the service is, and how long it may take (default 60, at most 600)
 * @returns {import("@photinus/core/plugin").Plugin}
 */
export function createPlugin({ url, waitSeconds = 60 }) {
  const address = new URL(url);
  return {
    name: "approval",
    timeLimitMs: 1000 * waitSeconds,
    veto: { submission: ({ job }, signal) => approvalOf(address, job, signal) },
  };
}

/** What is thrown here denies the job: the host sees to that. */
async function approvalOf(address, job, signal) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ job }),
    redirect: "error",
    signal,
  });
  if (!response.ok) {
    await response.body?.cancel();
    return { allowed: false, reason: `the approval service answered HTTP ${response.status}` };
  }
  const { approved, reason } = JSON.parse(await textOf(response));
  if (approved === true) return { allowed: true };
  return { allowed: false, reason: typeof reason === "string" ? reason : "not approved" };
}

async function textOf(response) {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    if (text.length > MAX_ANSWER) throw new RangeError("the answer is too long");
  }
  return text + decoder.decode();
}
