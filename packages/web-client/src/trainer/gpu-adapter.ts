/** The part of a WebGPU adapter (W3C WebGPU, "GPUAdapter") that is looked at here. */
interface Adapter {
  readonly info?: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly isFallbackAdapter?: boolean;
  };
  /** Where older browsers say it. */
  readonly isFallbackAdapter?: boolean;
}

interface Gpu {
  requestAdapter(): Promise<Adapter | null>;
}

/**
 * The name of the WebGPU adapter.
 * @throws Error saying why there is none: no WebGPU, no adapter, or only one in software
 */
export async function findAdapter({
  acceptsFallback,
}: {
  readonly acceptsFallback: boolean;
}): Promise<string> {
  const gpu: Gpu | undefined = "gpu" in navigator ? (navigator.gpu as Gpu) : undefined; // by the WebGPU standard
  if (gpu === undefined) throw new Error("this browser has no WebGPU");
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error("this browser found no graphics adapter");
  const { info } = adapter;
  const isFallback = info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
  if (isFallback && !acceptsFallback) throw new Error("the graphics adapter is emulated in software");
  return [info?.vendor, info?.architecture].filter(Boolean).join(" ") || "unnamed adapter";
}
