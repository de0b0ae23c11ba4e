import type { Bytes } from "@photinus/core/bytes";
import type { Tensor } from "@photinus/core/tensor";
import { dataTypeOf } from "./data-type.ts";
import type { Attribute, Dimension, Graph, Model, Node, Value } from "./model.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** The ONNX file of `model` (onnx.proto of ONNX 1.20); the same model gives the same bytes. */
export function writeModel(model: Model): Bytes {
  const writer = new ProtoWriter();
  writer.integer(1, model.irVersion);
  writer.text(2, model.producer);
  writer.message(7, (graph) => writeGraph(graph, model.graph));
  writer.message(8, (opset) => {
    opset.text(1, "");
    opset.integer(2, model.opset);
  });
  return writer.finish();
}

function writeGraph(writer: ProtoWriter, graph: Graph): void {
  for (const node of graph.nodes) writer.message(1, (nested) => writeNode(nested, node));
  writer.text(2, graph.name);
  for (const [name, tensor] of graph.initializers) {
    writer.message(5, (nested) => writeTensor(nested, tensor, name));
  }
  for (const value of graph.inputs) writer.message(11, (nested) => writeValue(nested, value));
  for (const value of graph.outputs) writer.message(12, (nested) => writeValue(nested, value));
}

function writeNode(writer: ProtoWriter, node: Node): void {
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.text(3, node.name);
  writer.text(4, node.operator);
  for (const [name, attribute] of node.attributes) {
    writer.message(5, (nested) => writeAttribute(nested, name, attribute));
  }
}

function writeAttribute(writer: ProtoWriter, name: string, attribute: Attribute): void {
  writer.text(1, name);
  writer.integer(20, ATTRIBUTE_TYPE[attribute.kind]);
  switch (attribute.kind) {
    case "float":
      writer.float(2, attribute.value);
      return;
    case "int":
      writer.integer(3, attribute.value);
      return;
    case "text":
      writer.text(4, attribute.value);
      return;
    case "tensor":
      writer.message(5, (nested) => writeTensor(nested, attribute.value, ""));
      return;
    case "graph":
      writer.message(6, (nested) => writeGraph(nested, attribute.value));
      return;
    case "floats":
      for (const value of attribute.value) writer.float(7, value);
      return;
    case "ints":
      for (const value of attribute.value) writer.integer(8, value);
      return;
    case "texts":
      for (const value of attribute.value) writer.text(9, value);
      return;
  }
}

const ATTRIBUTE_TYPE: Readonly<Record<Attribute["kind"], number>> = {
  float: 1,
  int: 2,
  text: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  texts: 8,
};

function writeTensor(writer: ProtoWriter, tensor: Tensor, name: string): void {
  for (const dimension of tensor.shape) writer.integer(1, dimension);
  writer.integer(2, dataTypeOf(tensor.dtype));
  writer.text(8, name);
  writer.bytes(9, tensor.data);
}

function writeValue(writer: ProtoWriter, value: Value): void {
  writer.text(1, value.name);
  writer.message(2, (type) => {
    type.message(1, (tensorType) => {
      tensorType.integer(1, dataTypeOf(value.dtype));
      const { shape } = value;
      if (shape !== undefined) tensorType.message(2, (nested) => writeShape(nested, shape));
    });
  });
}

function writeShape(writer: ProtoWriter, shape: readonly Dimension[]): void {
  for (const dimension of shape) {
    writer.message(1, (nested) => {
      if (typeof dimension === "number") nested.integer(1, dimension);
      else if (dimension !== undefined) nested.text(2, dimension);
    });
  }
}
