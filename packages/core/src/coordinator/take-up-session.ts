import { fromHex, toHex } from "../bytes/index.ts";
import { MessageError } from "../errors/index.ts";
import { participantUrn, subjectOf } from "../pki/index.ts";
import { type ResumeBody, resumed, type Session } from "../session/index.ts";
import { ignoreLostSession } from "./answer-site.ts";
import type { KeptUploads } from "./kept-uploads.ts";
import type { ResumedState } from "./live-site.ts";
import type { ResumeRecords } from "./resume-records.ts";
import type { TokenRevocations } from "./token-revocations.ts";

/** What a session is taken up with. */
export interface TakeUpModules {
  readonly uploads: KeptUploads;
  readonly records: ResumeRecords;
  readonly tokens: TokenRevocations;
}

/**
 * A session takes up what lasts of the earlier ones of its participant.
 * @param body what RESUME asks for, which is answered; absent when the participant begins without it
 */
export async function takeUpSession(
  session: Session,
  body: ResumeBody | undefined,
  { uploads, records, tokens }: TakeUpModules,
): Promise<ResumedState> {
  const { project, role, name } = session.peer;
  const subject = subjectOf(project, role, name);
  if (subject === undefined) throw new MessageError("ERR_TYPE_UNKNOWN", "a participant without a name");
  const urn = participantUrn(subject);
  // [W-181]
  const last = body?.session && (await tokens.mayResume(body.session)) ? body.session : undefined;
  const { record, isResumed, dropped } = await records.open({ urn, session: session.id, last });
  // [W-125]
  if (!isResumed) uploads.dropParticipant(urn);
  await uploads.deleteBlobs(dropped);
  if (body === undefined) return { record, hasAsked: false, acknowledged: NOTHING, heldBlobs: NO_BLOBS };
  const answer = {
    isResumed,
    acknowledged: record.commits.map(({ messageId }) => fromHex(messageId)),
    streams: uploads
      .ofParticipant(urn)
      .map(({ streamId, chunks }) => ({ streamId: fromHex(streamId), chunks })),
  };
  await ignoreLostSession(session.send(resumed, answer));
  const ids = isResumed ? body.acknowledged.map((id) => toHex(id)) : [];
  const blobs = isResumed ? (body.blobs ?? []) : [];
  return {
    record,
    hasAsked: true,
    acknowledged: ids.length === 0 ? NOTHING : new Set(ids),
    heldBlobs:
      blobs.length === 0 ? NO_BLOBS : new Map(blobs.map(({ root, received }) => [toHex(root), received])),
  };
}

/** Of the many who come back with nothing under way. */
const NOTHING: ReadonlySet<string> = new Set();
const NO_BLOBS: ResumedState["heldBlobs"] = new Map();
