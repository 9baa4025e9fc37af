import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { type Figures, median } from './figures.ts'
import type { RunFigures, Verdict } from './goals.ts'

/** Where and when, in a line. */
export function describeMachine(): string {
  const gib = Math.round(totalmem() / 2 ** 30)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  return `${new Date().toISOString().slice(0, 10)}, commit ${commit}, Node.js ${process.versions.node}, ${availableParallelism()} cores of ${cpus()[0]?.model}, ${gib} GiB`
}

export function markdownOf(
  labels: Map<string, string>,
  runs: readonly RunFigures[],
  verdicts: readonly Verdict[],
): string {
  const rows = [...labels].map(([id, label]) => {
    const all = runs.map(({ rates }) => rates.get(id)).filter((figures) => figures !== undefined)
    const of = (pick: (figures: Figures) => number) => median(all.map(pick))
    const rates = all.map(({ perSecond }) => perSecond)
    const spread = `${number(Math.min(...rates))} to ${number(Math.max(...rates))}`
    return [
      label,
      number(of((f) => f.perSecond)),
      spread,
      ...[
        of((f) => f.p50Ms),
        of((f) => f.p99Ms),
        of((f) => f.cpuMs),
        of((f) => f.cores),
        of((f) => f.rssMib),
      ].map(number),
      number(of((f) => f.delayP99Ms)),
    ]
  })
  return [
    table(
      [
        '',
        'per second',
        'of the runs',
        'p50 ms',
        'p99 ms',
        'CPU ms each',
        'cores',
        'memory MiB',
        'loop p99 ms',
      ],
      rows,
    ),
    table(
      ['', 'measured', 'of the runs', 'goal', ''],
      verdicts.map(({ name, value, spread, goal, reached }) => [
        name,
        number(value),
        spread.map(number).join(' to '),
        goal,
        reached ? 'reached' : 'missed',
      ]),
    ),
  ].join('\n\n')
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** Three digits that matter; a dash for what was not measured. */
export function number(value: number): string {
  if (Number.isNaN(value)) return '–'
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
