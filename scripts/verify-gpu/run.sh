#!/bin/sh
# Runs the verification on a Linux x64 host that has nothing but a GPU driver: no Node, no network, no installation.
# PHOTINUS_CUDA_LIBRARIES names a folder that holds ONNX Runtime's CUDA provider (libonnxruntime_providers_cuda.so and
# libonnxruntime_providers_shared.so of the same version), which is too large to be carried here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/." "$work"
find "$work" -name '*.gz' -exec gunzip -f {} +
chmod +x "$work/node"
binaries="$work/node_modules/onnxruntime-node/bin/napi-v6/linux/x64"
if [ -n "${PHOTINUS_CUDA_LIBRARIES:-}" ]; then ln -s "$PHOTINUS_CUDA_LIBRARIES"/*.so* "$binaries/" 2>/dev/null || true; fi
LD_LIBRARY_PATH="$binaries:$work/lib:${LD_LIBRARY_PATH:-}"
export LD_LIBRARY_PATH
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -f /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json ]; then
  export VK_DRIVER_FILES=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
fi
"$work/node" "$work/verify.mjs" "$@"
