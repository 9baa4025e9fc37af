import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Makes the metrics of one registry. */
export type Meters = ReturnType<typeof metersOf>

export function metersOf(registry: Registry) {
  const registers = [registry]
  return {
    counter: <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
      new Counter({ name, help, labelNames, registers }),

    /** @param buckets upper bounds, in seconds. */
    histogram: <Label extends string>(
      name: string,
      help: string,
      buckets: number[],
      labelNames: readonly Label[] = [],
    ) => new Histogram({ name, help, buckets, labelNames, registers }),

    /** @param collect sets it when the metrics are read. */
    gauge: <Label extends string>(
      name: string,
      help: string,
      collect: (gauge: Gauge<Label>) => void | Promise<void>,
      labelNames: readonly Label[] = [],
    ) =>
      new Gauge({
        ...{ name, help, labelNames, registers },
        collect() {
          return collect(this)
        },
      }),
  }
}
