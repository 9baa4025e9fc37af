import { SingleBar } from 'cli-progress'

/** The progress of long work. */
export interface Progress {
  advance(by: number): void
  end(): void
}

/** Shows a bar on stderr, if that is a terminal. */
export function showProgress(what: string, total: number): Progress {
  if (!process.stderr.isTTY) return { advance: () => {}, end: () => {} }
  const bar = new SingleBar({
    format: `${what} {bar} {value} of {total}, {eta_formatted} left`,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    clearOnComplete: true,
    stream: process.stderr,
  })
  bar.start(total, 0)
  return { advance: (by) => bar.increment(by), end: () => bar.stop() }
}
