"""Writes the models and reference values of this folder: python make.py

Needs torch, onnx, onnxscript and numpy. Every number comes from a seed; references are float64.
"""

import base64
import json
import pathlib
import warnings

import numpy as np
import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
STEPS, RATE, MOMENTUM = 5, 0.05, 0.9


class Recurrent(nn.Module):
    """Embedding, bidirectional LSTM, GRU, RNN, classifier of the last step."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.lstm = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(10, 6, batch_first=True)
        self.rnn = nn.RNN(6, 5, batch_first=True)
        self.classify = nn.Linear(5, 4)

    def forward(self, ids):
        x, _ = self.lstm(self.embedding(ids))
        x, _ = self.gru(x)
        x, _ = self.rnn(x)
        return self.classify(x[:, -1])


class Encoder(nn.Module):
    """Multi-head attention in both of PyTorch's forms, pre- and post-normalization, mean pooling."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(24, 16)
        self.position = nn.Parameter(torch.randn(8, 16) * 0.1)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.q, self.k, self.v = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 16)
        self.up, self.down = nn.Linear(16, 32), nn.Linear(32, 16)
        self.classify = nn.Linear(16, 5)

    def forward(self, ids):
        x = self.embedding(ids) + self.position
        x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
        split = lambda t: t.view(t.size(0), t.size(1), 2, 8).transpose(1, 2)
        y = F.scaled_dot_product_attention(split(self.q(x)), split(self.k(x)), split(self.v(x)), is_causal=True)
        x = x + y.transpose(1, 2).reshape(x.shape)
        x = x + self.down(F.gelu(self.up(x)))
        return self.classify(x.mean(1))


class UNetBlock(nn.Module):
    """Down, up by ConvTranspose and by Resize, skip connections, GroupNorm, dilated and grouped convolutions."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.GroupNorm(2, 4)
        self.down = nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.middle = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=2)
        self.up = nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)
        self.merge = nn.Conv2d(8, 4, 1)
        self.leave = nn.Conv2d(12, 4, 1)
        self.classify = nn.Linear(4, 3)

    def forward(self, image):
        a = F.silu(self.norm(self.enter(image)))
        b = F.elu(self.middle(F.leaky_relu(self.down(F.pad(a, (0, 0, 0, 0))), 0.1)))
        c = self.merge(torch.cat([self.up(b), a], 1))
        bilinear = F.interpolate(b[:, :4], scale_factor=2, mode="bilinear", align_corners=False)
        nearest = F.interpolate(b[:, 4:], scale_factor=2, mode="nearest")
        d = F.hardswish(self.leave(torch.cat([c, bilinear, nearest], 1)))
        return self.classify(d.mean((2, 3)))


class ResidualBlock(nn.Module):
    """BatchNorm in training mode, strided shortcut, max pooling with overlap and ceil_mode."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.one, self.norm1 = nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
        self.two, self.norm2 = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.shortcut, self.norm3 = nn.Conv2d(4, 8, 1, stride=2, bias=False), nn.BatchNorm2d(8)
        self.classify = nn.Linear(8, 4)

    def forward(self, image):
        x = F.max_pool2d(F.relu(self.norm(self.enter(image))), 3, 2, 1, ceil_mode=True)
        y = self.norm2(self.two(F.relu(self.norm1(self.one(x)))))
        x = F.relu(y + self.norm3(self.shortcut(x)))
        return self.classify(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Decoder(nn.Module):
    """A block as of LLaMA: RMSNorm, rotary positions, SwiGLU, tied embedding; einsum for the scores."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(22, 16)
        self.norm1, self.norm2 = nn.Parameter(torch.ones(16)), nn.Parameter(torch.ones(16))
        self.qkv, self.out = nn.Linear(16, 48, bias=False), nn.Linear(16, 16, bias=False)
        self.gate, self.up, self.down = (nn.Linear(16, 24, bias=False), nn.Linear(16, 24, bias=False), nn.Linear(24, 16, bias=False))

    def rms(self, x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight

    def rotate(self, x):
        steps = torch.arange(x.size(2), dtype=x.dtype)
        angles = steps[:, None] * (10000.0 ** (-torch.arange(0, 4, dtype=x.dtype) / 4))[None]
        a, b = x[..., :4], x[..., 4:]
        return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)

    def forward(self, ids):
        x = self.embedding(ids)
        n, t = ids.shape
        q, k, v = self.qkv(self.rms(x, self.norm1)).view(n, t, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        scores = torch.einsum("bhid,bhjd->bhij", self.rotate(q), self.rotate(k)) / 8**0.5
        mask = torch.ones(t, t, dtype=torch.bool).tril()
        weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(n, t, 16))
        y = self.rms(x, self.norm2)
        x = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return (x @ self.embedding.weight.T)[:, -1]


CASES = {
    "recurrent": (Recurrent, lambda: torch.randint(0, 20, (3, 5)), 4),
    "encoder": (Encoder, lambda: torch.randint(0, 24, (3, 8)), 5),
    "unet": (UNetBlock, lambda: torch.randn(2, 1, 8, 8), 3),
    "residual": (ResidualBlock, lambda: torch.randn(4, 1, 11, 11), 4),
    "decoder": (Decoder, lambda: torch.randint(0, 22, (3, 6)), 22),
}


def encode(tensor):
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "b64": base64.b64encode(tensor.contiguous().numpy().tobytes()).decode(),
    }


def summary(tensor, samples=8):
    flat = tensor.detach().double().flatten()
    chosen = np.random.default_rng(flat.numel()).choice(flat.numel(), min(samples, flat.numel()), replace=False)
    return {"norm": flat.norm().item(), "sum": flat.sum().item(), "samples": [[int(i), flat[int(i)].item()] for i in sorted(chosen)]}


def reference(model, x, target):
    """Loss and gradients in float64, and the losses of SGD with momentum."""
    model = model.double().train()
    x = x.double() if x.is_floating_point() else x
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    losses, gradients, buffers = [], {}, {}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = {name: summary(p.grad) for name, p in model.named_parameters()}
            buffers = {n: summary(b) for n, b in model.named_buffers() if b.is_floating_point()}
        optimizer.step()
    return {"gradients": gradients, "buffers": buffers, "losses": losses}


def export(model, x, name):
    image = x.is_floating_point()
    inputs = ["image" if image else "ids"]
    model.train()
    script, dynamo = HERE / f"{name}.torchscript.onnx", HERE / f"{name}.dynamo.onnx"
    torch.onnx.export(model, (x,), script, dynamo=False, opset_version=17, input_names=inputs, dynamic_axes={inputs[0]: {0: "batch"}},
                      training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
    program = torch.onnx.export(model, (x,), dynamo=True, opset_version=20, input_names=inputs, optimize=False)
    program.save(dynamo)
    files = []
    for path in (script, dynamo):
        strip(path)
        names = {i.name for i in onnx.load(path).graph.initializer}
        files.append({"file": path.name, "parameters": [n for n, _ in model.named_parameters() if n in names]})
    return files


def strip(path):
    """Removes what exporters note for people: stack traces, with the paths of this machine."""
    model = onnx.load(path)
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    model.graph.doc_string = ""
    for part in [*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        part.doc_string = ""
        del part.metadata_props[:]
    onnx.save(model, path)


def main():
    warnings.filterwarnings("ignore")
    for index, (name, (build, draw, classes)) in enumerate(CASES.items()):
        torch.manual_seed(100 + index)
        model, x = build(), draw()
        for parameter in model.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
        target = torch.randint(0, classes, (x.shape[0],))
        state = {key: value.clone() for key, value in model.state_dict().items()}
        files = export(model, x, name)
        model.load_state_dict(state)
        record = {"name": name, "description": build.__doc__, "torch": torch.__version__, "input": encode(x), "target": encode(target),
                  "learningRate": RATE, "momentum": MOMENTUM, **reference(model, x, target), "files": files}
        (HERE / f"{name}.json").write_text(json.dumps(record) + "\n")
        for file in files:
            print(name, file["file"], (HERE / file["file"]).stat().st_size, len(file["parameters"]), "of", len(record["gradients"]))


main()
