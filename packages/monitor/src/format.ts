const integers: Intl.NumberFormat = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `12,345` */
export function formatCount(count: number): string {
  return integers.format(count);
}

/** A fraction as percent with one decimal: 0.9213 -> `92.1 %`. */
export function formatPercent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)}\u202f%`;
}

/** A change of a fraction in percentage points, signed: 0.031 -> `+3.1`. */
export function formatPoints(difference: number): string {
  const points = (difference * 100).toFixed(1);
  return Number(points) > 0 ? `+${points}` : points.replace("-", "\u2212");
}

/** A loss with three significant digits, at least: 0.2613 -> `0.261`. */
export function formatLoss(loss: number): string {
  return Math.abs(loss) >= 100 ? loss.toFixed(0) : Math.abs(loss) >= 10 ? loss.toFixed(1) : loss.toFixed(3);
}

/** Decimal units, as networks count: 1 234 567 -> `1.23 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}\u202f${units[unit]}`;
}

/** `340 ms`, `1.9 s`, `2 min 5 s`, `3 h 12 min` */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 0.95) return `${Math.round(seconds * 1000)}\u202fms`;
  if (seconds < 59.5) return `${seconds.toFixed(1)}\u202fs`;
  const minutes = Math.floor((seconds + 0.5) / 60);
  if (minutes < 60) return `${minutes}\u202fmin ${Math.round(seconds) - minutes * 60}\u202fs`;
  return `${Math.floor(minutes / 60)}\u202fh ${minutes % 60}\u202fmin`;
}

/** {@link formatPercent}, or a dash for a figure that is not known. */
export function formatPercentOr(fraction: number | null | undefined): string {
  return typeof fraction === "number" ? formatPercent(fraction) : "\u2013";
}

/** {@link formatLoss}, or a dash for a figure that is not known. */
export function formatLossOr(loss: number | null | undefined): string {
  return typeof loss === "number" ? formatLoss(loss) : "\u2013";
}
