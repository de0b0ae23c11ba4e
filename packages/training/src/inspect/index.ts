export { type Blocker, type InspectedParameter, inspectModel, type ModelReport } from "./inspect-model.ts";
