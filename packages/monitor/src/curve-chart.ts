import { nothing, type SVGTemplateResult, svg } from "lit";
import type { ChartPoint } from "./chart-data.ts";
import { accuracyScale, lossScale, roundExtent, roundScale, type Scale, thinOut } from "./curve-scale.ts";

/** What is drawn. */
export interface CurveOptions {
  /** In order of rounds. */
  readonly points: readonly ChartPoint[];
  /** Rounds planned. */
  readonly rounds: number;
  /** Size in CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** The point that is looked at. */
  readonly pointed: ChartPoint | undefined;
}

/** Room for the labels around the plot, in pixels. */
const MARGIN = { top: 10, right: 44, bottom: 26, left: 52 };
/** Points are marked up to this many. */
const MAX_MARKED = 60;

/** Accuracy against the left scale, loss against the right one. */
export function renderCurves({ points, rounds, width, height, pointed }: CurveOptions): SVGTemplateResult {
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const x = roundScale(roundExtent(points, rounds), MARGIN.left, right);
  const accuracy = accuracyScale(points, bottom, MARGIN.top);
  const loss = lossScale(points, bottom, MARGIN.top);
  return svg`
    ${accuracy.ticks.map((tick) => renderLine(MARGIN.left, right, accuracy.at(tick)))}
    ${x.ticks.map((tick) => renderLabel(x.at(tick), height - 6, "middle", "", String(tick)))}
    ${accuracy.ticks.map((tick) =>
      renderLabel(MARGIN.left - 10, accuracy.at(tick) + 4, "end", "accuracy", `${tick * 100}\u202f%`),
    )}
    ${loss.ticks.map((tick) =>
      renderLabel(right + 10, loss.at(tick) + 4, "start", "loss", String(Number(tick.toPrecision(3)))),
    )}
    ${pointed === undefined ? nothing : renderCursor(x.at(pointed.round), bottom)}
    ${renderCurve("loss", pixels(points, "loss", x, loss))}
    ${renderCurve("accuracy", pixels(points, "accuracy", x, accuracy))}
  `;
}

/** The point whose round is nearest to a horizontal position, in pixels from the left of the chart. */
export function nearestPoint(
  { points, rounds, width }: CurveOptions,
  position: number,
): ChartPoint | undefined {
  const x = roundScale(roundExtent(points, rounds), MARGIN.left, width - MARGIN.right);
  const distance = ({ round }: ChartPoint): number => Math.abs(x.at(round) - position);
  return points.reduce<ChartPoint | undefined>(
    (nearest, point) => (nearest === undefined || distance(point) < distance(nearest) ? point : nearest),
    undefined,
  );
}

type Pixel = readonly [x: number, y: number];

function pixels(
  points: readonly ChartPoint[],
  figure: "accuracy" | "loss",
  x: Scale,
  y: Scale,
): readonly Pixel[] {
  const known = points.filter((point) => point[figure] !== null);
  return thinOut(known, 600).map((point) => [x.at(point.round), y.at(point[figure] ?? 0)]);
}

function renderCurve(name: string, line: readonly Pixel[]): SVGTemplateResult {
  const path = line
    .map(([x, y], index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("");
  const marked = line.length <= MAX_MARKED ? line : line.slice(-1);
  return svg`<g class="curve ${name}" part="curve ${name}">
    <path d=${path}/>
    ${marked.map(([x, y]) => svg`<circle cx=${x} cy=${y} r="3"/>`)}
  </g>`;
}

function renderLine(left: number, right: number, y: number): SVGTemplateResult {
  return svg`<path class="grid" d="M${left} ${Math.round(y) + 0.5}H${right}"/>`;
}

function renderCursor(x: number, bottom: number): SVGTemplateResult {
  return svg`<path class="cursor" d="M${Math.round(x) + 0.5} ${MARGIN.top}V${bottom}"/>`;
}

function renderLabel(x: number, y: number, anchor: string, name: string, text: string): SVGTemplateResult {
  return svg`<text class=${name} x=${x} y=${y} text-anchor=${anchor}>${text}</text>`;
}
