"""Writes optimizers.json: trajectories of torch.optim on a linear model, in float64. Run: python make.py

Needs torch (2.13.0 wrote the file that is committed). torch has no Lion: it is written here as Chen et al. 2023,
algorithm 2, says.
"""

import json
import math
import pathlib

import torch

STEPS = 12
torch.set_default_dtype(torch.float64)


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                direction = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                p.sub_(lr * (direction + group["weight_decay"] * p))
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


generator = torch.Generator().manual_seed(7)


def draw(*shape):
    # what float32 holds exactly, so that both sides start from the same numbers
    return torch.randn(*shape, generator=generator).float().double()


X, Y = draw(8, 3), draw(8, 2)
START = {"weight": draw(3, 2), "bias": draw(2)}


def optimizer_of(d, groups):
    lr, wd = d["learningRate"], d.get("weightDecay", 0)
    betas = lambda second: (d.get("beta1", 0.9), d.get("beta2", second))
    match d["name"]:
        case "sgd":
            return torch.optim.SGD(groups, lr=lr, momentum=d["momentum"], nesterov=d.get("nesterov", False), weight_decay=wd)
        case "adam":
            return torch.optim.Adam(groups, lr=lr, betas=betas(0.999), eps=d.get("epsilon", 1e-8), weight_decay=wd)
        case "adamw":
            return torch.optim.AdamW(groups, lr=lr, betas=betas(0.999), eps=d.get("epsilon", 1e-8), weight_decay=wd)
        case "adagrad":
            return torch.optim.Adagrad(groups, lr=lr, eps=d.get("epsilon", 1e-10), weight_decay=wd)
        case "rmsprop":
            return torch.optim.RMSprop(
                groups, lr=lr, alpha=d.get("smoothing", 0.99), eps=d.get("epsilon", 1e-8), momentum=d.get("momentum", 0), weight_decay=wd
            )
        case "lion":
            return Lion(groups, lr=lr, betas=betas(0.99), weight_decay=wd)


def run(name, optimizer, *, clippingNorm=None, proximal=None, rates=None, biasGroup=None):
    p = {key: value.clone().requires_grad_() for key, value in START.items()}
    bias = {"params": [p["bias"]]}
    if biasGroup is not None:
        bias["weight_decay"] = biasGroup["weightDecay"]
        bias["lr"] = optimizer["learningRate"] * biasGroup["learningRateFactor"]
    torch_optimizer = optimizer_of(optimizer, [{"params": [p["weight"]]}, bias])
    base = [group["lr"] for group in torch_optimizer.param_groups]
    losses = []
    for step in range(STEPS):
        for group, lr in zip(torch_optimizer.param_groups, base):
            group["lr"] = lr * (1 if rates is None else rates[step])
        torch_optimizer.zero_grad()
        loss = ((X @ p["weight"] + p["bias"] - Y) ** 2).mean()
        losses.append(loss.item())
        total = loss
        if proximal is not None:
            total = total + proximal / 2 * sum(((p[key] - START[key]) ** 2).sum() for key in p)
        total.backward()
        if clippingNorm is not None:
            torch.nn.utils.clip_grad_norm_(p.values(), clippingNorm)
        torch_optimizer.step()
    options = dict(clippingNorm=clippingNorm, proximal=proximal, rates=rates, biasGroup=biasGroup)
    return {
        "name": name,
        "optimizer": optimizer,
        **{key: value for key, value in options.items() if value is not None},
        "losses": losses,
        "parameters": {key: value.detach().flatten().tolist() for key, value in p.items()},
    }


cosine = [0.5 * (1 + math.cos(math.pi * step / STEPS)) for step in range(STEPS)]
sgd = {"name": "sgd", "learningRate": 0.1, "momentum": 0.9}
adamw = {"name": "adamw", "learningRate": 0.05, "weightDecay": 0.1}
CASES = [
    run("sgd without momentum", {**sgd, "momentum": 0}),
    run("sgd with momentum", sgd),
    run("sgd with momentum and weight decay", {**sgd, "weightDecay": 0.05}),
    run("sgd with Nesterov's momentum", {**sgd, "nesterov": True}),
    run("sgd while the rate falls", sgd, rates=cosine),
    run("sgd, clipped", sgd, clippingNorm=0.5),
    run("sgd, drawn towards its start", sgd, proximal=0.3),
    run("adam", {"name": "adam", "learningRate": 0.05}),
    run("adam with a large epsilon and weight decay", {"name": "adam", "learningRate": 0.05, "epsilon": 0.05, "weightDecay": 0.1}),
    run("adam of short memory, clipped", {"name": "adam", "learningRate": 0.05, "beta1": 0.6, "beta2": 0.8}, clippingNorm=0.2),
    run("adamw", adamw),
    run("adamw while the rate falls", adamw, rates=cosine),
    run("adamw with a bias that does not decay", adamw, biasGroup={"learningRateFactor": 0.5, "weightDecay": 0}),
    run("adagrad", {"name": "adagrad", "learningRate": 0.2}),
    run("adagrad with weight decay", {"name": "adagrad", "learningRate": 0.2, "epsilon": 0.05, "weightDecay": 0.1}),
    run("rmsprop", {"name": "rmsprop", "learningRate": 0.02}),
    run("rmsprop with momentum", {"name": "rmsprop", "learningRate": 0.02, "smoothing": 0.8, "momentum": 0.7, "epsilon": 0.05}),
    run("lion", {"name": "lion", "learningRate": 0.25}),
    run("lion with weight decay", {"name": "lion", "learningRate": 0.03, "beta1": 0.8, "beta2": 0.95, "weightDecay": 0.2}),
]
data = {"x": X.flatten().tolist(), "y": Y.flatten().tolist(), "start": {key: value.flatten().tolist() for key, value in START.items()}}
out = pathlib.Path(__file__).parent / "optimizers.json"
out.write_text(json.dumps({"torch": torch.__version__, **data, "cases": CASES}, separators=(",", ":")) + "\n")
