export { readModel, writeModel } from "./onnx/index.ts";
