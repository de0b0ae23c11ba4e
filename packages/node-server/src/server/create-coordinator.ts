import { aggregatorRegistry } from "@photinus/core/aggregation";
import type { Authorizer } from "@photinus/core/authorization";
import { type Administration, Coordinator } from "@photinus/core/coordinator";
import { HostError } from "@photinus/core/errors";
import { createKernels } from "@photinus/core/kernels";
import type { RevocationLists } from "@photinus/core/pki";
import type { PluginHost } from "@photinus/core/plugin";
import { builtInWorkflows } from "@photinus/core/workflow";
import type { PrometheusMetrics } from "../http/prometheus-metrics.ts";
import type { PhotinusServerModules, PhotinusServerOptions } from "./photinus-server.ts";

/** As long as FLARE leaves a console open: 30 min. */
const USER_IDLE_MS = 1_800_000;

/** What {@link createCoordinator} works with. */
export interface CoordinatorParts extends PhotinusServerModules {
  /** Where figures go. */
  readonly metrics: PrometheusMetrics;
  /** Who is revoked. */
  readonly revocations: RevocationLists;
  /** What administrators order. */
  readonly administration: Administration;
  /** Decides who may do what. */
  readonly authorizer: Authorizer;
  /** Code of the server's owner. */
  readonly plugins: PluginHost;
}

/** The coordinator of a server. @throws HostError `ERR_CONFIG_INVALID` for a kit without a storage key */
export function createCoordinator(
  { kit, coordinator, roster }: PhotinusServerOptions,
  {
    storage,
    clock,
    crypto,
    logger,
    metrics,
    revocations,
    administration,
    authorizer,
    plugins,
    aggregators = aggregatorRegistry(),
  }: CoordinatorParts,
): Coordinator {
  const { storageKey, identity, configuration } = kit;
  if (storageKey === undefined) throw new HostError("ERR_CONFIG_INVALID", "the kit has no storage key");
  const { metadata, blobs, audit, scratch, bus } = storage;
  return new Coordinator(
    {
      ...{ project: configuration.project, identity, storageKey, userIdleMs: USER_IDLE_MS, ...coordinator },
      ...(configuration.jurisdiction === undefined ? {} : { jurisdiction: configuration.jurisdiction }),
    },
    {
      clock,
      crypto,
      metadata,
      blobs,
      audit,
      bus,
      logger,
      metrics,
      revocations,
      administration,
      authorizer,
      plugins,
      ...(roster === undefined ? {} : { roster }),
      workflows: builtInWorkflows(),
      aggregators,
      kernels: createKernels(),
      scratch,
    },
  );
}
