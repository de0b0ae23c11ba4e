import { ParameterSet, Tensor } from "@photinus/core/tensor";

/** Parameters with what training changed in them. */
export function moved(parameters: ParameterSet, delta: ParameterSet): ParameterSet {
  return new ParameterSet(
    parameters.entries().map(([name, { shape, f32 }]) => {
      const change = delta.get(name)!.f32;
      return [
        name,
        Tensor.f32(
          shape,
          f32.map((value, index) => value + change[index]!),
        ),
      ];
    }),
  );
}
