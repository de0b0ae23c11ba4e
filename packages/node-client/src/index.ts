export { type DataDescription, folderData } from "./data/index.ts";
export { dataNamesIn } from "./host/data-names.ts";
export { type NodeSiteModules, type NodeSiteOptions, nodeSite } from "./host/node-site.ts";
export { type ServerConnectorOptions, serverConnector } from "./host/server-connector.ts";
export { type DeviceChoice, parseDevice, startNodeTrainer } from "./trainer/index.ts";
