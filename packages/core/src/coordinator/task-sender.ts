import { fromHex, toHex } from "../bytes/index.ts";
import { task as taskMessage } from "../message/index.ts";
import type { Dispatch } from "../workflow/index.ts";
import type { JobContext } from "./job-context.ts";
import { lackingFrames } from "./lacking-frames.ts";
import type { LiveSite } from "./live-site.ts";
import type { PublishedBlob } from "./publisher.ts";
import { taskDataFacts, taskFacts } from "./task-facts.ts";

/**
 * Pushes a published blob to a site: publication once per session, then the chunks, paced by the connection.
 * @param signal ends it early: the blob is then sent again when it is needed again
 */
export async function sendPublished(
  { board }: Pick<JobContext, "board">,
  site: LiveSite,
  { published, signal }: { readonly published: PublishedBlob; readonly signal: AbortSignal },
): Promise<void> {
  const root = toHex(published.reference.root);
  if (site.sendingBlobs.has(root)) return;
  site.sentBlobs.add(root);
  site.sendingBlobs.add(root);
  try {
    await site.session.sendObject(published.object, published.signerChain);
    // What it said that it has counts once: who asks for the blob again gets the whole.
    const { frames, byteLength } = lackingFrames(published.blob, site.heldBlobs.get(root));
    site.heldBlobs.delete(root);
    board.addTraffic(site.name, { down: byteLength });
    if (frames.length > 0) await site.session.sendBlob({ frames }, signal);
  } catch (error) {
    site.sentBlobs.delete(root);
    throw error;
  } finally {
    site.sendingBlobs.delete(root);
  }
}

/**
 * Gives a task to a site: the small signed task first in the queue, the model's chunks behind it.
 * @throws PluginError `ERR_PLUGIN_REFUSED`
 * @param onSent called as soon as the task has left, before the chunks have
 */
export async function sendTask(
  context: JobContext,
  site: LiveSite,
  { dispatch, model, control, onSent, signal }: TaskToSend,
): Promise<void> {
  const { jobId, payload, modules } = context;
  const { taskId, order } = dispatch;
  await requireAllowed(context, site, { dispatch, signal });
  const body = {
    jobId,
    taskId,
    kind: order.kind,
    round: order.round,
    version: order.model.version,
    model: model.reference,
    ...(control === undefined ? {} : { control: control.reference }),
    timeoutMs: payload.definition.workflow.roundTimeoutMs,
  };
  const blobs = control === undefined ? [model] : [model, control];
  const lacking = blobs.filter(({ reference }) => !site.sentBlobs.has(toHex(reference.root)));
  // The same message each time it is sent, whatever the session: its id is the task's.
  const options = { scope: jobId, messageId: fromHex(taskId) };
  const sent = site.session.send(taskMessage, body, options).then(() => {
    modules.plugins.emit("task", taskFacts(context, dispatch, site.name));
    onSent();
  });
  await Promise.all([
    sent,
    ...lacking.map((published) => sendPublished(context, site, { published, signal })),
  ]);
}

async function requireAllowed(
  context: JobContext,
  { name, session }: LiveSite,
  { dispatch, signal }: Pick<TaskToSend, "dispatch" | "signal">,
): Promise<void> {
  const { modules, jobId: correlation } = context;
  if (!modules.plugins.asks("taskData")) return;
  const over = AbortSignal.any([signal, session.signal]);
  const facts = taskDataFacts(context, dispatch, name);
  await modules.plugins.require("taskData", facts, { signal: over, correlation });
}

/** What {@link sendTask} sends. */
export interface TaskToSend {
  readonly dispatch: Dispatch;
  readonly model: PublishedBlob;
  /** The control variate of SCAFFOLD. */
  readonly control: PublishedBlob | undefined;
  readonly onSent: () => void;
  readonly signal: AbortSignal;
}
