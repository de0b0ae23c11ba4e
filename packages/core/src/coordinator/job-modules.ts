import { auditLog } from "../audit/index.ts";
import { policyAuthorizer } from "../authorization/index.ts";
import { builtInRegistry } from "../decomposer/index.ts";
import { CheckpointStore, JobStore } from "../job/index.ts";
import { PluginHost } from "../plugin/index.ts";
import type { JobModules } from "./job-context.ts";
import { KeptUploads } from "./kept-uploads.ts";
import type { CoordinatorModules, CoordinatorOptions } from "./options.ts";
import type { ResumeRecords } from "./resume-records.ts";
import { Studies } from "./studies.ts";
import { UploadSlots } from "./upload-slots.ts";

const DEFAULT_UPLOAD_SLOTS = 2;
const DEFAULT_START_GRACE_MS = 2000;
const DEFAULT_RECONNECT_GRACE_MS = 15_000;

/** What all jobs of a coordinator share, from what the coordinator was given. */
export function jobModules(
  options: CoordinatorOptions & Pick<JobModules, "ownIdentity">,
  modules: CoordinatorModules,
  records: ResumeRecords,
): JobModules {
  const { clock, crypto, metadata, blobs, audit, logger, metrics } = modules;
  const { workflows, aggregators, kernels, scratch } = modules;
  const { authorizer = policyAuthorizer(options.identity.participant.org) } = modules;
  const { plugins = new PluginHost([], { clock, logger }) } = modules;
  const checkpoints = new CheckpointStore(options.storageKey, { crypto, blobs, metadata });
  const slots = new UploadSlots(options.uploadSlots ?? DEFAULT_UPLOAD_SLOTS, kernels);
  return {
    project: options.project,
    ownIdentity: options.ownIdentity,
    ...{ clock, crypto, metadata, logger, metrics, workflows, aggregators, kernels, scratch },
    startGraceMs: options.startGraceMs ?? DEFAULT_START_GRACE_MS,
    reconnectGraceMs: options.reconnectGraceMs ?? DEFAULT_RECONNECT_GRACE_MS,
    registry: builtInRegistry(),
    checkpoints,
    jobs: new JobStore(metadata),
    audit: auditLog(audit, clock),
    plugins,
    authorizer,
    studies: new Studies({ roster: modules.roster, jurisdiction: options.jurisdiction }, { metadata }),
    slots,
    uploads: new KeptUploads({ slots, checkpoints, records, clock, logger }),
  };
}
