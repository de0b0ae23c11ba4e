import { MAX_RANK } from "@photinus/core/tensor";
import { dtypeOf } from "./data-type.ts";
import type { ModelLimits } from "./limits.ts";
import type { Dimension, Value } from "./model.ts";
import { malformed, type ProtoReader } from "./proto-reader.ts";

/** Reads a ValueInfoProto. @throws TrainingError `ERR_MODEL_MALFORMED` for anything but a dense tensor */
export function readValue(reader: ProtoReader, limits: ModelLimits): Value {
  let name = "";
  let type: Omit<Value, "name"> | undefined;
  while (reader.next()) {
    if (reader.field === 1) name = reader.text(limits.maxNameBytes);
    else if (reader.field === 2) type = readType(reader.message(), limits);
    else reader.skip();
  }
  if (type === undefined) malformed(`value ${name} has no type`);
  return { name, ...type };
}

function readType(reader: ProtoReader, limits: ModelLimits): Omit<Value, "name"> | undefined {
  let type: Omit<Value, "name"> | undefined;
  while (reader.next()) {
    if (reader.field === 1) type = readTensorType(reader.message(), limits);
    else if (reader.field === 6)
      reader.skip(); // denotation, a hint for people
    else malformed("a value is no dense tensor");
  }
  return type;
}

function readTensorType(reader: ProtoReader, limits: ModelLimits): Omit<Value, "name"> {
  let elementType = 0;
  let shape: readonly Dimension[] | undefined;
  while (reader.next()) {
    if (reader.field === 1) elementType = reader.integer();
    else if (reader.field === 2) shape = readShape(reader.message(), limits);
    else reader.skip();
  }
  return { dtype: dtypeOf(elementType, "value"), shape };
}

function readShape(reader: ProtoReader, limits: ModelLimits): readonly Dimension[] {
  const shape: Dimension[] = [];
  while (reader.next()) {
    if (reader.field === 1) shape.push(readDimension(reader.message(), limits));
    else reader.skip();
    if (shape.length > MAX_RANK) malformed(`a value has more than ${MAX_RANK} dimensions`);
  }
  return shape;
}

function readDimension(reader: ProtoReader, limits: ModelLimits): Dimension {
  let dimension: Dimension;
  while (reader.next()) {
    if (reader.field === 1) dimension = reader.integer();
    else if (reader.field === 2) dimension = reader.text(limits.maxNameBytes);
    else reader.skip();
  }
  if (typeof dimension === "number" && (dimension < 0 || dimension > limits.maxElements)) {
    malformed(`dimension ${dimension}`);
  }
  return dimension === "" ? undefined : dimension;
}
