"""Writes files.json: python make.py

Needs numpy and Pillow. Files as those libraries write them, and what they hold.
"""

import base64
import io
import json
import pathlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent
random = np.random.default_rng(7)


def b64(data):
    return base64.b64encode(data).decode()


def saved(save):
    buffer = io.BytesIO()
    save(buffer)
    return b64(buffer.getvalue())


def picture(mode, form, **options):
    x, y = np.meshgrid(np.arange(13), np.arange(9))
    smooth = np.stack([x * 17 + y, y * 25, 255 - x * 9 - y * 5, 40 + x * 16], -1).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(smooth, "RGBA")
    if mode == "I;16":
        image = Image.fromarray((x * 4000 + y * 300).astype(np.uint16))
    elif mode == "RGB":
        image = image.convert("RGB")
    elif mode != "RGBA":
        image = image.convert("RGB").convert(mode)
    file = saved(lambda buffer: image.save(buffer, form, **options))
    if mode == "I;16":
        shown = np.rint(np.asarray(image) / 65535 * 255)[..., None]
    elif mode == "RGBA":
        alpha = smooth[..., 3:] / 255
        shown = np.floor(alpha * smooth[..., :3] + (1 - alpha) * 255 + 0.5)
    else:
        reread = Image.open(io.BytesIO(base64.b64decode(file)))
        shown = np.asarray(reread.convert("L" if mode in ("L", "1") else "RGB"))
        shown = shown.reshape(9, 13, -1)
    return {"mode": mode, "format": form, "file": file, "width": 13, "height": 9, "channels": int(shown.shape[2]), "pixels": b64(shown.astype(np.uint8).tobytes())}


def main():
    arrays = {"x": random.standard_normal((3, 2)).astype(np.float32), "ids": np.arange(6, dtype=np.int64).reshape(3, 2), "y": np.array([0, 1, 1], np.int32)}
    zeros = {"x": np.zeros((64, 1024), np.float32)}
    photograph = random.integers(0, 256, (11, 17, 3)).astype(np.uint8)
    fitted = Image.fromarray(photograph).resize((5, 3), Image.BILINEAR, box=(0, 0.4, 17, 10.6))
    record = {
        "numpy": np.__version__,
        "arrays": {name: {"shape": list(value.shape), "values": [float(number) for number in value.flatten()]} for name, value in arrays.items()},
        "stored": saved(lambda buffer: np.savez(buffer, **arrays)),
        "deflated": saved(lambda buffer: np.savez_compressed(buffer, **arrays)),
        "zeros": saved(lambda buffer: np.savez_compressed(buffer, **zeros)),
        "pictures": [picture(mode, "PNG") for mode in ("1", "L", "P", "RGB", "RGBA", "I;16")]
        + [picture("RGB", "JPEG", quality=92, subsampling=0), picture("L", "JPEG", quality=92), picture("RGB", "JPEG", quality=92, progressive=True)],
        "fit": {"from": b64(photograph.tobytes()), "width": 17, "height": 11, "to": [5, 3], "pixels": b64(np.asarray(fitted).tobytes())},
    }
    (HERE / "files.json").write_text(json.dumps(record) + "\n")


main()
