import { describe, expect, test } from "vitest";
import {
  isDeployedTo,
  type JobDefinition,
  needAt,
  nextJobState,
  parseJobDefinition,
} from "../../src/job/index.ts";
import { hasJobEnded } from "../../src/message/index.ts";

const DEFINITION: JobDefinition = {
  name: "digits",
  purpose: "Reads digits.",
  workflow: { name: "fedavg", rounds: 5, minimumSites: 2, roundTimeoutMs: 60_000, waitForSitesMs: 0 },
  training: {
    loss: "cross-entropy",
    optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.9 },
    batchSize: 64,
    localEpochs: 1,
  },
  dataName: "mnist",
  seed: 1,
  chunkBytes: 262_144,
  maximumExamples: 100_000,
};

const with_ = (path: string, value: unknown): unknown => {
  const copy = structuredClone(DEFINITION) as unknown as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let place = copy;
  for (const key of keys) place = place[key] as Record<string, unknown>;
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
};

describe("a job definition", () => {
  test("is what was written", () => {
    expect(parseJobDefinition(structuredClone(DEFINITION))).toEqual(DEFINITION);
  });

  test.each([
    ["workflow.rounds", -1, "workflow.rounds must be at least 1 (got -1)"],
    ["workflow.rounds", 1.5, "workflow.rounds must be a whole number (got 1.5)"],
    ["workflow.rounds", "ten", 'workflow.rounds must be a whole number (got "ten")'],
    ["workflow.name", "magic", 'workflow.name must be one of "fedavg", "scaffold"'],
    ["workflow.minimumSites", 0, "workflow.minimumSites must be at least 1 (got 0)"],
    ["training.optimizer.learningRate", 0, "training.optimizer.learningRate must be greater than 0 (got 0)"],
    ["training.optimizer.momentum", 1, "training.optimizer.momentum must be less than 1 (got 1)"],
    ["training.batchSize", undefined, "training.batchSize must be given"],
    ["chunkBytes", 1000, "chunkBytes must be at least 65536 (got 1000)"],
    ["seed", 2 ** 32, "seed must be at most 4294967295 (got 4294967296)"],
    ["dataName", "MNIST", "dataName must be lower-case letters"],
    ["name", "", "name must be at least 1 characters"],
    ["colour", "red", "colour is no field of a job"],
  ])("with %s = %s is refused by field, bound and value", (path, value, message) => {
    expect(() => parseJobDefinition(with_(path, value))).toThrow(
      expect.objectContaining({ code: "ERR_JOB_INVALID", message: expect.stringContaining(message) }),
    );
  });

  test.each([
    [
      "workflow.serverOptimizer",
      { name: "magic" },
      'serverOptimizer.name must be one of "momentum", "adagrad"',
    ],
    ["workflow.serverOptimizer", { name: "adam" }, "serverOptimizer.learningRate must be given"],
    ["workflow.serverOptimizer", { name: "momentum", momentum: 1 }, "momentum must be less than 1 (got 1)"],
    [
      "workflow.serverOptimizer",
      { name: "yogi", learningRate: 11 },
      "learningRate must be at most 10 (got 11)",
    ],
    [
      "workflow.serverOptimizer",
      { name: "adam", learningRate: 1, tau: 0 },
      "tau must be at least 1e-9 (got 0)",
    ],
    ["workflow.serverOptimizer", { name: "momentum", averaged: [] }, "averaged must be at least 1"],
    ["aggregation", { name: "weighted-mean", weights: "many" }, 'weights must be one of "examples", "equal"'],
    ["aggregation", { name: "magic" }, "aggregation.name must be the name of a rule of aggregation"],
    ["aggregation", { name: "median", byzantine: -1 }, "aggregation.byzantine must be at least 0 (got -1)"],
    ["aggregation", { name: "median" }, "aggregation.byzantine must be given"],
    ["aggregation", { name: "krum", byzantine: 0, selected: 2 }, "aggregation.selected is no field of a job"],
    [
      "aggregation",
      { name: "weighted-mean", clippingNorm: 0 },
      "aggregation.clippingNorm must be greater than 0",
    ],
    [
      "aggregation",
      { name: "median", byzantine: 1 },
      "workflow.minimumSites: median with byzantine 1 needs at least 3",
    ],
    [
      "aggregation",
      { name: "krum", byzantine: 0 },
      "krum with byzantine 0 needs at least 3 contributions, and 2 may be",
    ],
    [
      "aggregation",
      { name: "median", byzantine: 0, mixing: { name: "bucketing", size: 1 } },
      "aggregation.mixing.size must be at least 2 (got 1)",
    ],
  ])("with %s = %j is refused before anything starts", (path, value, message) => {
    expect(() => parseJobDefinition(with_(path, value))).toThrow(
      expect.objectContaining({ code: "ERR_JOB_INVALID", message: expect.stringContaining(message) }),
    );
  });

  test.each([
    [{ name: "federated-evaluation" }, "workflow.rounds: federated-evaluation has one round"],
    [
      { name: "cross-site-evaluation", rounds: 1 },
      "workflow.rounds: cross-site-evaluation has a round for the model",
    ],
    [
      { name: "cyclic", serverOptimizer: { name: "momentum" } },
      "workflow.serverOptimizer: cyclic makes no aggregate",
    ],
  ])("with the workflow %j is refused before anything starts", (workflow, message) => {
    const changed = with_("workflow", { ...DEFINITION.workflow, ...workflow });
    expect(() => parseJobDefinition(changed)).toThrow(
      expect.objectContaining({ code: "ERR_JOB_INVALID", message: expect.stringContaining(message) }),
    );
  });

  test.each([
    [{ clippingNorm: 1 }, {}, "training.clippingNorm: scaffold cannot correct it"],
    [{ batchesPerUpdate: 2 }, {}, "training.batchesPerUpdate: scaffold divides by every step"],
    [{ onNotFinite: "skip" }, {}, "training.onNotFinite: scaffold divides by every step"],
    [{ personal: { name: "ditto", strength: 1 } }, {}, "training.personal: scaffold has no use"],
    [{}, { aggregation: { name: "weighted-mean" } }, "aggregation: scaffold counts sites alike"],
    [{}, {}, "workflow.name: scaffold needs deployment.sites"],
  ])("scaffold with %j and %j is refused before anything starts", (training, more, message) => {
    const optimizer = { name: "sgd", learningRate: 0.05, momentum: 0 };
    const changed = {
      ...{ ...DEFINITION, workflow: { ...DEFINITION.workflow, name: "scaffold" } },
      ...{ training: { ...DEFINITION.training, optimizer, ...training }, ...more },
    };

    expect(() => parseJobDefinition(changed)).toThrow(message);
  });

  test("a rule for many contributions is refused where a round has one", () => {
    const workflow = { ...DEFINITION.workflow, name: "cyclic", minimumSites: 5 };
    const changed = { ...DEFINITION, workflow, aggregation: { name: "median", byzantine: 1 } };

    expect(() => parseJobDefinition(changed)).toThrow("needs at least 3 contributions, and 1 may be all");
  });

  test.each([
    ["training.loss", { name: "cross-entropy", labelSmoothing: 0.1, ignoredLabel: -100, classAxis: 1 }],
    ["training.loss", "binary-cross-entropy"],
    ["training.loss", { name: "kl-divergence" }],
    ["training.loss", { name: "huber", delta: 2 }],
    ["training.optimizer", { name: "sgd", learningRate: 1, momentum: 0, nesterov: true, weightDecay: 0.1 }],
    ["training.optimizer", { name: "adam", learningRate: 1e-3 }],
    ["training.optimizer", { name: "adamw", learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-6 }],
    ["training.optimizer", { name: "adagrad", learningRate: 0.1 }],
    ["training.optimizer", { name: "rmsprop", learningRate: 0.1, smoothing: 0.9, momentum: 0.5 }],
    ["training.optimizer", { name: "lion", learningRate: 1e-4, weightDecay: 1 }],
    ["training.schedule", { name: "cosine", epochs: 10, warmupEpochs: 0.5, floor: 0.1 }],
    ["training.schedule", { name: "step", everyEpochs: 3, factor: 0.5 }],
    ["training.groups", [{ parameters: ["*.bias"], weightDecay: 0 }]],
    ["training.clippingNorm", 1],
    ["training.batchesPerUpdate", 4],
    ["training.proximal", 0.01],
    ["training.onNotFinite", "skip"],
    ["metrics", [{ name: "top-k", k: 3 }, { name: "confusion-matrix", classes: 64 }, { name: "auc" }]],
    ["training.transforms", [{ name: "normalize", mean: [0.5, 0.4], deviation: [0.2, 0.2] }]],
    [
      "training.transforms",
      [
        { name: "impute", input: "x", value: [0] },
        { name: "one-hot", input: "ward", classes: 3 },
      ],
    ],
    [
      "training.transforms",
      [
        { name: "crop", padding: 4 },
        { name: "flip", direction: "horizontal" },
      ],
    ],
  ])("may say %s = %j", (path, value) => {
    const definition = with_(path, value);

    expect(parseJobDefinition(definition)).toEqual(definition);
  });

  test.each([
    [
      "training.loss",
      "hinge",
      'training.loss must be one of "cross-entropy", "huber", "binary-cross-entropy"',
    ],
    ["training.loss", { name: "hinge" }, 'training.loss.name must be one of "cross-entropy"'],
    ["training.loss", { name: "huber", delta: 0 }, "training.loss.delta must be greater than 0 (got 0)"],
    [
      "training.loss",
      { name: "cross-entropy", labelSmoothing: 1 },
      "labelSmoothing must be less than 1 (got 1)",
    ],
    ["training.loss", { name: "cross-entropy", classAxis: 0 }, "classAxis must be at least 1 (got 0)"],
    ["training.loss", { name: "kl-divergence", delta: 1 }, "training.loss.delta is no field of a job"],
    ["training.optimizer.name", "adamax", 'training.optimizer.name must be one of "sgd", "adam", "adamw"'],
    ["training.optimizer.beta1", 0.9, "training.optimizer.beta1 is no field of a job"],
    ["training.optimizer.weightDecay", 1.5, "training.optimizer.weightDecay must be at most 1 (got 1.5)"],
    [
      "training.optimizer",
      { name: "adam", learningRate: 1, beta2: 1 },
      "training.optimizer.beta2 must be less than 1 (got 1)",
    ],
    [
      "training.optimizer",
      { name: "adam", learningRate: Number.POSITIVE_INFINITY },
      "training.optimizer.learningRate must be a finite number",
    ],
    ["training.schedule", { name: "cosine" }, "training.schedule.epochs must be given"],
    ["training.schedule", { name: "step", everyEpochs: 1, factor: 1 }, "factor must be less than 1 (got 1)"],
    ["training.schedule", { name: "constant", epochs: 1 }, "training.schedule.epochs is no field of a job"],
    ["training.groups", [{ parameters: [] }], "training.groups.0.parameters must be at least 1 name"],
    ["training.groups", Array(17).fill({ parameters: ["*"] }), "training.groups must be at most 16 groups"],
    ["training.clippingNorm", 0, "training.clippingNorm must be greater than 0 (got 0)"],
    ["training.batchesPerUpdate", 0, "training.batchesPerUpdate must be at least 1 (got 0)"],
    ["training.proximal", -1, "training.proximal must be greater than 0 (got -1)"],
    [
      "training.transforms",
      [{ name: "blur" }],
      'name must be one of "normalize", "impute", "one-hot", "crop", "flip"',
    ],
    ["training.transforms", Array(17).fill({ name: "crop", padding: 1 }), "must be at most 16 transforms"],
    [
      "training.transforms",
      [{ name: "normalize", mean: [0], deviation: [0] }],
      "must be greater than 0 (got 0)",
    ],
    ["training.transforms", [{ name: "impute", value: Array(4097).fill(0) }], "must be at most 4096"],
    ["training.transforms", [{ name: "one-hot", classes: 65_537 }], "classes must be at most 65536"],
    ["training.transforms", [{ name: "crop", padding: 0 }], "padding must be at least 1"],
    [
      "training.transforms",
      [{ name: "flip", direction: "both" }],
      'direction must be one of "horizontal", "vertical"',
    ],
    [
      "metrics",
      [{ name: "f1" }],
      'name must be one of "top-k", "confusion-matrix", "auc", "perplexity", "r2"',
    ],
    ["metrics", [{ name: "top-k", k: 0 }], "k must be at least 1 (got 0)"],
    ["metrics", [{ name: "confusion-matrix" }], "classes must be given"],
    ["metrics", [{ name: "confusion-matrix", classes: 65 }], "classes must be at most 64 (got 65)"],
    ["metrics", Array(9).fill({ name: "auc" }), "metrics must be at most 8 metrics"],
    ["training.onNotFinite", "ignore", 'training.onNotFinite must be one of "fail", "skip"'],
  ])("with %s = %j is refused with what it must be", (path, value, message) => {
    expect(() => parseJobDefinition(with_(path, value))).toThrow(
      expect.objectContaining({ code: "ERR_JOB_INVALID", message: expect.stringContaining(message) }),
    );
  });

  test("names a rule that the fewest sites of a round are enough for", () => {
    const definition = with_("aggregation", { name: "median", byzantine: 0 });

    expect(parseJobDefinition(definition)).toEqual(definition);
  });

  test.each([null, 1, "job", [], undefined])("is never %s", (value) => {
    expect(() => parseJobDefinition(value)).toThrow(expect.objectContaining({ code: "ERR_JOB_INVALID" }));
  });
});

describe("who takes part in a job, and what it needs there", () => {
  const deployed = (deployment: unknown, minimumSites = 2): unknown =>
    parseJobDefinition({
      ...DEFINITION,
      workflow: { ...DEFINITION.workflow, minimumSites },
      deployment,
    });

  test.each([
    ["fewer sites than a round needs", { sites: ["a"] }, "workflow.minimumSites: the job names 1 sites"],
    ["a site twice", { sites: ["a", "b", "a"] }, "deployment.sites: it names a site twice"],
    [
      "a mandatory site that does not take part",
      { sites: ["a", "b"], mandatorySites: ["c"] },
      "deployment.mandatorySites: it names a site that does not take part",
    ],
    [
      "a need of a site that does not take part",
      { sites: ["a", "b"], resources: { "*": {}, c: {} } },
      "deployment.resources: it names a site that does not take part",
    ],
    ["a name that no site has", { sites: ["a", "B!"] }, "deployment.sites.1 must be"],
    [
      "memory of no GPU",
      { resources: { a: { gpus: { count: 0, memoryGiB: 1 } } } },
      "deployment.resources.a.gpus.count must be at least 1 (got 0)",
    ],
    [
      "half a unit",
      { resources: { a: { units: { licence: 0.5 } } } },
      "units.licence must be a whole number",
    ],
    ["a field that nobody knows", { clients: [] }, "deployment.clients is no field of a job"],
  ])("refuses %s", (_what, deployment, problem) => {
    expect(() => deployed(deployment)).toThrow(problem);
  });

  test("is every site with the data and nothing, where the job does not say otherwise", () => {
    expect(isDeployedTo(undefined, "a")).toBe(true);
    expect(isDeployedTo({ sites: ["b"] }, "a")).toBe(false);
    expect(needAt(undefined, "a")).toBeUndefined();
    expect(needAt({ resources: { a: {} } }, "a")).toBeUndefined();
  });

  test("is told by the site's own entry before that for the others", () => {
    const gpus = { gpus: { count: 1, memoryGiB: 8 } };
    const deployment = { resources: { "*": gpus, a: { units: { licence: 2 } } } };

    expect(needAt(deployment, "a")).toEqual({ units: { licence: 2 } });
    expect(needAt(deployment, "constructor")).toEqual(gpus);
  });
});

describe("the state of a job", () => {
  test("goes from waiting over dispatched and running to an end, and nowhere from there", () => {
    expect(nextJobState("waiting", "dispatch")).toBe("dispatched");
    expect(nextJobState("dispatched", "start")).toBe("running");
    expect(nextJobState("running", "completed")).toBe("finished");
    expect(nextJobState("waiting", "start")).toBeUndefined();
    expect(nextJobState("waiting", "completed")).toBeUndefined();
    for (const state of ["finished", "failed", "aborted"] as const) {
      expect(hasJobEnded(state)).toBe(true);
      for (const event of ["dispatch", "start", "completed", "abnormal", "aborted"] as const) {
        expect(nextJobState(state, event)).toBeUndefined();
      }
    }
  });
});
