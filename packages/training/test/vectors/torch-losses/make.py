"""Writes losses.json: losses of torch.nn.functional and their gradients, in float64. Run: python make.py

Needs torch (2.13.0 wrote the file that is committed).
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(11)


def draw(*shape):
    return (2 * torch.randn(*shape, generator=generator)).float().double()


def case(name, loss, shape, labels, of):
    output = draw(*shape).requires_grad_()
    value = of(output, labels)
    value.backward()
    return {
        "name": name,
        "loss": loss,
        "output": {"shape": list(shape), "data": output.detach().flatten().tolist()},
        "labels": labels.flatten().tolist(),
        "value": value.item(),
        "gradient": output.grad.flatten().tolist(),
    }


def classes(count, *shape):
    return torch.randint(count, shape, generator=generator)


ids = classes(5, 4)
tokens = classes(5, 2, 3)
padded = tokens.clone()
padded[1, 1:] = -100
pixels = classes(3, 2, 2, 2)
answers = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
numbers = draw(3, 2)
teacher = torch.softmax(draw(3, 4), -1)
teacher[0] = torch.tensor([0.0, 0.5, 0.5, 0.0])
last = lambda x: x.movedim(-1, 1)
CASES = [
    case("cross-entropy", "cross-entropy", (4, 5), ids, F.cross_entropy),
    case(
        "cross-entropy with label smoothing",
        {"name": "cross-entropy", "labelSmoothing": 0.1},
        (4, 5),
        ids,
        lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1),
    ),
    case("cross-entropy of every token", "cross-entropy", (2, 3, 5), tokens, lambda x, y: F.cross_entropy(last(x), y)),
    case(
        "cross-entropy of tokens without padding",
        {"name": "cross-entropy", "ignoredLabel": -100},
        (2, 3, 5),
        padded,
        lambda x, y: F.cross_entropy(last(x), y, ignore_index=-100),
    ),
    case(
        "cross-entropy of smoothed tokens without padding",
        {"name": "cross-entropy", "ignoredLabel": -100, "labelSmoothing": 0.2},
        (2, 3, 5),
        padded,
        lambda x, y: F.cross_entropy(last(x), y, ignore_index=-100, label_smoothing=0.2),
    ),
    case("cross-entropy of pixels", {"name": "cross-entropy", "classAxis": 1}, (2, 3, 2, 2), pixels, F.cross_entropy),
    case("binary cross-entropy", "binary-cross-entropy", (3, 2), answers, F.binary_cross_entropy_with_logits),
    case("mean squared error", "mean-squared-error", (3, 2), numbers, F.mse_loss),
    case("mean absolute error", "mean-absolute-error", (3, 2), numbers, F.l1_loss),
    case("Huber", "huber", (3, 2), numbers, F.huber_loss),
    case("Huber of another delta", {"name": "huber", "delta": 2.5}, (3, 2), numbers, lambda x, y: F.huber_loss(x, y, delta=2.5)),
    case(
        "KL divergence",
        "kl-divergence",
        (3, 4),
        teacher,
        lambda x, y: F.kl_div(F.log_softmax(x, -1), y, reduction="batchmean"),
    ),
]
out = pathlib.Path(__file__).parent / "losses.json"
out.write_text(json.dumps({"torch": torch.__version__, "cases": CASES}, separators=(",", ":")) + "\n")
