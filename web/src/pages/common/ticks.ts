/** Round steps from 0, the last at or above `total`: at most `most` steps of 1, 2 or 5 times a power of ten. */
export function ticksOf(total: number, most: number): number[] {
  const raw = total / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw * 0.999) ?? raw;
  const out: number[] = [];
  // Multiplied, not added: sums of 0.1 drift.
  for (let i = 0; i === 0 || out[i - 1]! < total * 0.999; ++i) out.push(Number((i * step).toPrecision(12)));
  return out;
}
