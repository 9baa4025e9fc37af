import type { Slice } from './slice.ts'

/** What the slices of one run say together. */
export interface Figures {
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** CPU time of the server's processes for one step. */
  cpuMs: number
  /** How much of one core the server was at work. */
  cores: number
  rssMib: number
  delayP99Ms: number
}

export function figuresOf(slices: readonly Slice[]): Figures {
  const sum = (of: (slice: Slice) => number) => slices.reduce((total, slice) => total + of(slice), 0)
  const [steps, seconds, cpuMs] = [sum((s) => s.steps), sum((s) => s.seconds), sum((s) => s.cpuMs)]
  const latencies = slices.flatMap((slice) => slice.latenciesMs)
  return {
    perSecond: steps / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    cpuMs: cpuMs / steps,
    cores: cpuMs / seconds / 1000,
    rssMib: Math.max(...slices.map((slice) => slice.rssBytes)) / 2 ** 20,
    delayP99Ms: median(slices.map((slice) => slice.delayP99Ms)),
  }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], q: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * q)] ?? 0
}
