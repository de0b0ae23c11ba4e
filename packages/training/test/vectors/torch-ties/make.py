"""Writes ties.json: gradients of torch where a function has a kink, a tie or a zero. Run: python make.py

Needs torch (2.13.0 wrote the file that is committed).
"""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)


def case(name, operator, inputs, of, axes=None):
    tensors = [torch.tensor(values, requires_grad=True) for values in inputs]
    of(*tensors).sum().backward()
    return {
        "name": name,
        "operator": operator,
        **({} if axes is None else {"axes": axes}),
        "inputs": [{"shape": list(t.shape), "data": t.detach().flatten().tolist()} for t in tensors],
        "gradients": [t.grad.flatten().tolist() for t in tensors],
    }


rows = [[1.0, 3.0, 3.0, 2.0], [5.0, 5.0, 5.0, 1.0]]
lows = [[1.0, 1.0, 3.0, 2.0], [5.0, 7.0, 5.0, 5.0]]
CASES = [
    case("a greater of two that are equal", "Max", [[1.0, 2.0, 3.0], [1.0, 5.0, 3.0]], torch.maximum),
    case("a greater of two that are equal, broadcast", "Max", [[[1.0, 2.0], [3.0, 2.0]], [3.0, 2.0]], torch.maximum),
    case("a lesser of two that are equal", "Min", [[1.0, 2.0, 3.0], [1.0, 5.0, 3.0]], torch.minimum),
    case("a greatest that occurs more than once", "ReduceMax", [rows], lambda x: x.amax(1), [1]),
    case("a greatest of all", "ReduceMax", [rows], lambda x: x.amax((0, 1)), [0, 1]),
    case("a least that occurs more than once", "ReduceMin", [lows], lambda x: x.amin(1), [1]),
    case("a product of one zero", "ReduceProd", [[[2.0, 0.0, -3.0], [1.0, 2.0, 4.0]]], lambda x: x.prod(1), [1]),
    case("a product of two zeros", "ReduceProd", [[[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]], lambda x: x.prod(1), [1]),
    case("a norm of zeros", "ReduceL2", [[[0.0, 0.0], [3.0, 4.0]]], lambda x: torch.linalg.vector_norm(x, dim=1), [1]),
    case("a sum of absolute values at zero", "ReduceL1", [[[0.0, -2.0], [3.0, 0.0]]], lambda x: x.abs().sum(1), [1]),
    case("an absolute value of zero", "Abs", [[0.0, -1.0, 2.0]], torch.abs),
    case("a rectifier at zero", "Relu", [[0.0, -1.0, 2.0]], torch.relu),
]
out = pathlib.Path(__file__).parent / "ties.json"
out.write_text(json.dumps({"torch": torch.__version__, "cases": CASES}, separators=(",", ":")) + "\n")
