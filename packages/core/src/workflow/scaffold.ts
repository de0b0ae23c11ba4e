import { fedavg } from "./fedavg.ts";
import type { Workflow } from "./workflow.ts";

/**
 * SCAFFOLD (Karimireddy et al. 2020, algorithm 1): rounds as in FedAvg, in which sites correct each gradient by c − c_i, the control
 * variates of server and site. What is sent besides, and what the server and each site make of it, follows from the name that the
 * job gives: `aggregation/control-variates.ts`, `site/local/scaffold.ts`.
 */
export const scaffold: Workflow = { ...fedavg, name: "scaffold" };
