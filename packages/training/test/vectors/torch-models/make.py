"""Writes the models of this folder: python make.py

Needs torch, onnx and onnxscript. The first weights come from seeds. Tests read the files and never run this.
"""

import math
import pathlib
import warnings

import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent


class Mlp(nn.Module):
    """For tables: 7 numbers, 3 classes."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 3))

    def forward(self, x):
        return self.layers(x)


class LeNet(nn.Module):
    """LeNet-5 with max pooling, half as wide."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 12, 5)
        self.full1, self.full2 = nn.Linear(12 * 25, 48), nn.Linear(48, 10)

    def forward(self, image):
        x = F.max_pool2d(F.relu(self.conv1(image)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.full2(F.relu(self.full1(x.flatten(1))))


class BasicBlock(nn.Module):
    """As torchvision's ResNet-18 is made of."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside)
        self.conv2, self.bn2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside)
        self.shortcut = nn.Sequential()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet18(nn.Module):
    """All 18 layers of ResNet-18, four channels where the original has 64."""

    def __init__(self, width=4):
        super().__init__()
        self.enter, self.norm = nn.Conv2d(1, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        self.blocks = nn.Sequential(*[
            BasicBlock(widths[stage] if block == 0 else widths[stage + 1], widths[stage + 1], 2 if stage > 0 and block == 0 else 1)
            for stage in range(4) for block in range(2)])
        self.classify = nn.Linear(8 * width, 10)

    def forward(self, image):
        x = F.max_pool2d(F.relu(self.norm(self.enter(image))), 3, 2, 1)
        return self.classify(F.adaptive_avg_pool2d(self.blocks(x), 1).flatten(1))


class Gpt2(nn.Module):
    """GPT-2: learned positions, pre-normalization, causal attention, tanh GELU, tied embedding; two blocks of width 32, bytes."""

    def __init__(self, vocabulary=256, length=32, width=32, heads=4, depth=2):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(nn.ModuleDict({
            "ln_1": nn.LayerNorm(width), "attn": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width),
            "ln_2": nn.LayerNorm(width), "fc": nn.Linear(width, 4 * width), "out": nn.Linear(4 * width, width)}) for _ in range(depth))
        self.last, self.heads = nn.LayerNorm(width), heads
        self.register_buffer("mask", torch.tril(torch.ones(length, length, dtype=torch.bool)), persistent=False)
        for embedding in (self.tokens, self.positions):
            nn.init.normal_(embedding.weight, std=0.1)

    def forward(self, input_ids):
        places = input_ids.shape[1]
        x = self.tokens(input_ids) + self.positions(torch.arange(places))
        for block in self.blocks:
            q, k, v = block["attn"](block["ln_1"](x)).chunk(3, -1)
            split = lambda t: t.reshape(-1, places, self.heads, t.shape[-1] // self.heads).transpose(1, 2)
            q, k, v = split(q), split(k), split(v)
            scores = (q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
            weights = scores.masked_fill(~self.mask[:places, :places], torch.finfo(scores.dtype).min).softmax(-1)
            x = x + block["proj"]((weights @ v).transpose(1, 2).reshape(x.shape))
            x = x + block["out"](F.gelu(block["fc"](block["ln_2"](x)), approximate="tanh"))
        return self.last(x) @ self.tokens.weight.T


class LstmClassifier(nn.Module):
    """Bytes of a line, embedded, through an LSTM in both directions, classified by its largest answers."""

    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(256, 12), nn.LSTM(12, 16, batch_first=True, bidirectional=True)
        self.classify = nn.Linear(32, 2)

    def forward(self, input_ids):
        states, _ = self.lstm(self.embedding(input_ids))
        return self.classify(states.max(1).values)


class DistilBert(nn.Module):
    """DistilBERT: post-normalization, masked attention, GELU, classifier of the first place; two blocks of width 24, bytes."""

    def __init__(self, length=48, width=24, heads=2, depth=2):
        super().__init__()
        self.words, self.positions, self.norm = nn.Embedding(256, width), nn.Embedding(length, width), nn.LayerNorm(width, eps=1e-12)
        self.blocks = nn.ModuleList(nn.ModuleDict({
            "q": nn.Linear(width, width), "k": nn.Linear(width, width), "v": nn.Linear(width, width), "o": nn.Linear(width, width),
            "sa_norm": nn.LayerNorm(width, eps=1e-12), "lin1": nn.Linear(width, 4 * width), "lin2": nn.Linear(4 * width, width),
            "out_norm": nn.LayerNorm(width, eps=1e-12)}) for _ in range(depth))
        self.pre_classifier, self.classifier, self.heads = nn.Linear(width, width), nn.Linear(width, 2), heads
        self.dropout = nn.Dropout(0.1)

    def forward(self, input_ids, attention_mask):
        places = input_ids.shape[1]
        x = self.dropout(self.norm(self.words(input_ids) + self.positions(torch.arange(places))))
        hidden = (attention_mask == 0)[:, None, None, :]
        for block in self.blocks:
            split = lambda t: t.reshape(-1, places, self.heads, t.shape[-1] // self.heads).transpose(1, 2)
            q, k, v = split(block["q"](x)), split(block["k"](x)), split(block["v"](x))
            scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(-1, -2)
            weights = self.dropout(scores.masked_fill(hidden, torch.finfo(scores.dtype).min).softmax(-1))
            x = block["sa_norm"](x + block["o"]((weights @ v).transpose(1, 2).reshape(x.shape)))
            x = block["out_norm"](x + self.dropout(block["lin2"](F.gelu(block["lin1"](x)))))
        return self.classifier(self.dropout(F.relu(self.pre_classifier(x[:, 0]))))


class UNet(nn.Module):
    """U-Net with two steps down and up: of each pixel whether it is ink."""

    def __init__(self, width=6):
        super().__init__()
        twice = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.Conv2d(o, o, 3, padding=1), nn.ReLU())
        self.down1, self.down2, self.bottom = twice(1, width), twice(width, 2 * width), twice(2 * width, 4 * width)
        self.up2, self.merge2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, 2), twice(4 * width, 2 * width)
        self.up1, self.merge1 = nn.ConvTranspose2d(2 * width, width, 2, 2), twice(2 * width, width)
        self.leave = nn.Conv2d(width, 1, 1)

    def forward(self, image):
        a = self.down1(image)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.bottom(F.max_pool2d(b, 2))
        b = self.merge2(torch.cat([self.up2(c), b], 1))
        a = self.merge1(torch.cat([self.up1(b), a], 1))
        return self.leave(a)


image, ids = (lambda: torch.randn(4, 1, 28, 28)), (lambda length: torch.randint(0, 256, (4, length)))
CASES = {
    "mlp": (Mlp, lambda: {"x": torch.randn(4, 7)}),
    "lenet": (LeNet, lambda: {"image": image()}),
    "resnet18": (ResNet18, lambda: {"image": image()}),
    "gpt2": (Gpt2, lambda: {"input_ids": ids(32)}),
    "lstm": (LstmClassifier, lambda: {"input_ids": ids(48)}),
    "distilbert": (DistilBert, lambda: {"input_ids": ids(48), "attention_mask": torch.ones(4, 48, dtype=torch.int64)}),
    "unet": (UNet, lambda: {"image": image()}),
}


def strip(path):
    """Removes what exporters note for people: stack traces, with the paths of the machine."""
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
    for index, (name, (build, draw)) in enumerate(CASES.items()):
        torch.manual_seed(200 + index)
        model, inputs = build().train(), draw()
        names, given = list(inputs), tuple(inputs.values())
        script, dynamo = HERE / f"{name}.torchscript.onnx", HERE / f"{name}.dynamo.onnx"
        state = {key: value.clone() for key, value in model.state_dict().items()}
        torch.onnx.export(model, given, script, dynamo=False, opset_version=17, input_names=names, dynamic_axes={n: {0: "batch"} for n in names},
                          training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
        model.load_state_dict(state)
        batch = torch.export.Dim("batch", min=2, max=4096)
        torch.onnx.export(model, given, dynamo=True, opset_version=20, input_names=names, optimize=False,
                          dynamic_shapes=tuple({0: batch} for _ in names)).save(dynamo)
        for path in (script, dynamo):
            strip(path)
            print(path.name, path.stat().st_size)


main()
