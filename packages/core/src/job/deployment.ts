/** What a job needs at one site while it takes part there. FLARE: an entry of `resource_spec`. */
export interface ResourceNeed {
  /** GPUs, each with so much memory for this job; jobs share a GPU as long as its memory lasts. */
  readonly gpus?: {
    /** 1 to 64. */
    readonly count: number;
    /** GiB on each, > 0, at most 4 096. */
    readonly memoryGiB: number;
  };
  /** How many of the units that the site names, such as licences: at most 64 names, 1 to 10 000 of each. */
  readonly units?: Readonly<Record<string, number>>;
}

/** Who takes part in a job, and what it needs there. FLARE: `deploy_map`, `mandatory_clients`, `resource_spec`. */
export interface DeploymentDefinition {
  /** The sites that take part, 1 to 1 000. Default: every site that has the data. */
  readonly sites?: readonly string[];
  /** Sites without which the job does not start and no round counts: at most 1 000. Default: none. */
  readonly mandatorySites?: readonly string[];
  /** What the job needs, by the name of the site; `*` for the others. Default: nothing. */
  readonly resources?: Readonly<Record<string, ResourceNeed>>;
}

/** What is kept of a job, and how long. */
export interface RetentionDefinition {
  /** Days after its end until the job is deleted, 1 to 3 650. Default: until somebody deletes it. */
  readonly days?: number;
  /** `newest`: the first, the newest and the best version of the model; `every-round`: each of them. Default: `newest`. */
  readonly models?: "newest" | "every-round";
}

/** Priority of a job that states none. */
export const DEFAULT_PRIORITY = 5;

/** True when the job may be given to a site of this name. */
export function isDeployedTo(deployment: DeploymentDefinition | undefined, site: string): boolean {
  return deployment?.sites === undefined || deployment.sites.includes(site);
}

/** What the job needs at a site; `undefined`: nothing. */
export function needAt(deployment: DeploymentDefinition | undefined, site: string): ResourceNeed | undefined {
  const { resources = {} } = deployment ?? {};
  const name = Object.hasOwn(resources, site) ? site : "*";
  const need = Object.hasOwn(resources, name) ? resources[name] : undefined;
  const isNothing = need?.gpus === undefined && Object.keys(need?.units ?? {}).length === 0;
  return isNothing ? undefined : need;
}
