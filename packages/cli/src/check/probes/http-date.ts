import { type IncomingMessage, request as requestClear } from "node:http";
import { request as requestSecure } from "node:https";
import { connect } from "node:tls";
import { explainRefusal } from "@photinus/node-platform";
import { type Finding, failed, ok, skipped } from "../finding.ts";
import { STEP_MS, sniOf, stepSignal, tunnelOf, type Way, type WayProbe } from "../way.ts";

/** What answers HTTP there, and what time it is for it: a hint, nobody has authenticated it. */
export const httpDate: WayProbe = {
  name: "http",
  async run(way) {
    try {
      return judge(await ask(way), way);
    } catch (error) {
      const isLate = error instanceof Error && error.name === "AbortError";
      const seen = isLate ? `no answer within ${STEP_MS / 1000} s` : explainRefusal(way.url, error);
      return failed("ERR_CONNECTION_REFUSED", seen, REMEDY);
    }
  },
};

const REMEDY =
  "Check that a Photinus server, or a proxy before one, serves HTTP at that port, and which TLS certificates it takes.";

function judge(response: IncomingMessage, { subject, facts }: Way): Finding {
  const dateMs = Date.parse(response.headers.date ?? "");
  if (!Number.isNaN(dateMs)) facts.dateOffsetMs = dateMs - subject.clock.now();
  const server = response.headers["server"];
  return response.statusCode === undefined
    ? skipped("no answer")
    : ok(`HTTP ${response.statusCode}${server === undefined ? "" : ` of ${String(server).slice(0, 40)}`}`);
}

async function ask(way: Way): Promise<IncomingMessage> {
  const { host, port, isSecure, subject } = way;
  const tunnel = await tunnelOf(way);
  const { opened } = subject;
  const client = opened !== undefined ? { cert: opened.tls.certificate, key: opened.tls.privateKey } : {};
  const options = { host, port, path: "/healthz", agent: false, signal: stepSignal(way) } as const;
  return await new Promise((resolve, reject) => {
    const request = isSecure
      ? requestSecure({
          ...options,
          ...client,
          rejectUnauthorized: false, // the probe of TLS has judged it; nothing of this answer is believed
          servername: sniOf(way),
          ...(tunnel === undefined
            ? {}
            : {
                createConnection: () =>
                  connect({ socket: tunnel, servername: sniOf(way), rejectUnauthorized: false, ...client }),
              }),
        })
      : requestClear({ ...options, ...(tunnel === undefined ? {} : { createConnection: () => tunnel }) });
    request.once("response", (response) => {
      response.destroy();
      resolve(response);
    });
    request.on("error", reject);
    request.end();
  });
}
