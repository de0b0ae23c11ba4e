import type { Bytes } from "@photinus/core/bytes";
import { PhotinusError } from "@photinus/core/errors";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { benchModel } from "../../src/models/index.ts";
import { DEFAULT_MODEL_LIMITS, readModel } from "../../src/onnx/index.ts";
import { ProtoWriter } from "../../src/onnx/proto-writer.ts";

type Write = (writer: ProtoWriter) => void;

interface Parts {
  /** Fields of the graph, ahead of an input x and an output y. */
  readonly graph?: Write;
  /** Fields of the model. */
  readonly model?: Write;
  readonly opset?: number;
}

const value =
  (name: string): Write =>
  (writer) => {
    writer.text(1, name);
    writer.message(2, (type) => type.message(1, (tensor) => tensor.integer(1, 1)));
  };

function node(inputs: readonly string[], outputs: readonly string[], more: Write = () => undefined): Write {
  return (writer) =>
    writer.message(1, (nested) => {
      for (const input of inputs) nested.text(1, input);
      for (const output of outputs) nested.text(2, output);
      nested.text(4, "Relu");
      more(nested);
    });
}

const passX = node(["x"], ["y"]);

function aModel({ graph = passX, model = () => undefined, opset = 20 }: Parts): Bytes {
  const writer = new ProtoWriter();
  writer.integer(1, 9);
  writer.message(7, (nested) => {
    graph(nested);
    nested.message(11, value("x"));
    nested.message(12, value("y"));
  });
  writer.message(8, (nested) => nested.integer(2, opset));
  model(writer);
  return writer.finish();
}

const initializer =
  (write: Write): Write =>
  (writer) => {
    writer.message(5, (tensor) => {
      tensor.text(8, "w");
      tensor.integer(2, 1);
      write(tensor);
    });
    passX(writer);
  };

const nestedGraphs =
  (depth: number): Write =>
  (writer) =>
    node(["x"], depth === 0 ? ["y"] : [`inner${depth}`], (nested) => {
      nested.message(5, (attribute) => {
        attribute.text(1, "body");
        attribute.integer(20, 5);
        attribute.message(6, depth === 12 ? () => undefined : nestedGraphs(depth + 1));
      });
    })(writer);

test("a model of these parts is read", () => {
  expect(readModel(aModel({})).graph.nodes).toHaveLength(1);
});

describe("readModel refuses", () => {
  const cases: readonly (readonly [what: string, parts: Parts, code: string])[] = [
    [
      "external data",
      { graph: initializer((t) => t.message(13, (entry) => entry.text(1, "location"))) },
      "ERR_MODEL_EXTERNAL_DATA",
    ],
    ["data_location EXTERNAL", { graph: initializer((t) => t.integer(14, 1)) }, "ERR_MODEL_EXTERNAL_DATA"],
    [
      "a tensor shorter than its shape",
      {
        graph: initializer((t) => {
          t.integer(1, 4);
          t.bytes(9, new Uint8Array(12));
        }),
      },
      "ERR_MODEL_MALFORMED",
    ],
    [
      "a tensor of 2^40 elements without data",
      {
        graph: initializer((t) => {
          t.integer(1, 2 ** 20);
          t.integer(1, 2 ** 20);
        }),
      },
      "ERR_MODEL_TOO_LARGE",
    ],
    ["a negative dimension", { graph: initializer((t) => t.integer(1, -1)) }, "ERR_MODEL_MALFORMED"],
    [
      "a tensor of nine dimensions",
      {
        graph: initializer((t) => {
          for (let i = 0; i < 9; i++) t.integer(1, 1);
          t.bytes(9, new Uint8Array(4));
        }),
      },
      "ERR_MODEL_TOO_LARGE",
    ],
    ["a tensor of strings", { graph: initializer((t) => t.integer(2, 8)) }, "ERR_MODEL_MALFORMED"],
    [
      "an operator of a foreign domain",
      { graph: node(["x"], ["y"], (n) => n.text(7, "com.microsoft")) },
      "ERR_MODEL_OPERATOR",
    ],
    ["functions of the model's own", { model: (m) => m.message(25, () => undefined) }, "ERR_MODEL_OPERATOR"],
    ["opset 12", { opset: 12 }, "ERR_MODEL_OPSET"],
    ["opset 24", { opset: 24 }, "ERR_MODEL_OPSET"],
    ["two opsets", { model: (m) => m.message(8, (o) => o.integer(2, 20)) }, "ERR_MODEL_MALFORMED"],
    ["two graphs", { model: (m) => m.message(7, () => undefined) }, "ERR_MODEL_MALFORMED"],
    [
      "a value that is assigned twice",
      {
        graph: (g) => {
          passX(g);
          passX(g);
        },
      },
      "ERR_MODEL_MALFORMED",
    ],
    [
      "nodes in the wrong order",
      {
        graph: (g) => {
          node(["a"], ["y"])(g);
          node(["x"], ["a"])(g);
        },
      },
      "ERR_MODEL_MALFORMED",
    ],
    [
      "a cycle",
      {
        graph: (g) => {
          node(["b"], ["a"])(g);
          node(["a"], ["b"])(g);
          passX(g);
        },
      },
      "ERR_MODEL_MALFORMED",
    ],
    ["an output that nothing computes", { graph: () => undefined }, "ERR_MODEL_MALFORMED"],
    [
      "an attribute that occurs twice",
      {
        graph: node(["x"], ["y"], (n) => {
          for (let i = 0; i < 2; i++)
            n.message(5, (a) => {
              a.text(1, "axis");
              a.integer(20, 2);
            });
        }),
      },
      "ERR_MODEL_MALFORMED",
    ],
    [
      "a reference to an attribute",
      { graph: node(["x"], ["y"], (n) => n.message(5, (a) => a.text(21, "axis"))) },
      "ERR_MODEL_MALFORMED",
    ],
    ["subgraphs nested too deep", { graph: nestedGraphs(0) }, "ERR_MODEL_TOO_LARGE"],
    [
      "sparse initializers",
      {
        graph: (g) => {
          g.message(15, () => undefined);
          passX(g);
        },
      },
      "ERR_MODEL_MALFORMED",
    ],
    [
      "a name of 2 000 bytes",
      { graph: node(["x"], ["y"], (n) => n.text(3, "a".repeat(2000))) },
      "ERR_MODEL_MALFORMED",
    ],
  ];

  test.each(cases)("%s", (_, parts, code) => {
    expect(() => readModel(aModel(parts))).toThrow(expect.objectContaining({ code }));
  });

  test("more nodes than the limit", () => {
    const graph: Write = (g) => {
      for (let index = 0; index < 5; index++) node(["x"], [index === 0 ? "y" : `y${index}`])(g);
    };

    const read = () => readModel(aModel({ graph }), { ...DEFAULT_MODEL_LIMITS, maxNodes: 4 });

    expect(read).toThrow(expect.objectContaining({ code: "ERR_MODEL_TOO_LARGE" }));
  });

  test("a file above the limit before it reads it", () => {
    const read = () => readModel(new Uint8Array(11), { ...DEFAULT_MODEL_LIMITS, maxModelBytes: 10 });

    expect(read).toThrow(expect.objectContaining({ code: "ERR_MODEL_TOO_LARGE" }));
  });

  test("an empty file", () => {
    expect(() => readModel(new Uint8Array(0))).toThrow(
      expect.objectContaining({ code: "ERR_MODEL_MALFORMED" }),
    );
  });

  test("a length beyond the end of the file", () => {
    const bytes = Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f);

    expect(() => readModel(bytes)).toThrow(expect.objectContaining({ code: "ERR_MODEL_MALFORMED" }));
  });
});

describe("hostile bytes", () => {
  const genuine = benchModel("cnn", 1).model;

  function readOrRefuse(bytes: Bytes): void {
    try {
      readModel(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(PhotinusError);
    }
  }

  test("end in a model or a typed error when random", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readOrRefuse(Uint8Array.from(bytes))),
    );
  });

  test("end in a model or a typed error when a genuine file is altered", () => {
    fc.assert(
      fc.property(fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
        const altered = Uint8Array.from(genuine);
        altered[position]! ^= change;
        readOrRefuse(altered);
      }),
    );
  });

  test("end in a typed error when a genuine file is cut", () => {
    fc.assert(
      fc.property(fc.nat(genuine.length - 1), (length) => {
        expect(() => readModel(genuine.slice(0, length))).toThrow(PhotinusError);
      }),
    );
  });
});
