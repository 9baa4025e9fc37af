import type { InjectOptions } from 'fastify'

/** What a rule found, and when it happened in epoch milliseconds, where that is known. */
export interface Finding {
  what: string
  at?: number | undefined
}

/** A request of a test. */
interface Step {
  /** The request, and the line of the test that sent it. */
  name: string
  from: number
  to: number
}

/** The requests of a test in their order, so that what is broken at its end can be laid to one of them. */
export interface Steps {
  /** @returns what is to be called when the answer is there. */
  begin(request: InjectOptions): (status: number) => void
  /** Says what was found, and which steps were under way or had just been done then. */
  explain(finding: Finding): string
}

export function makeSteps(): Steps {
  const steps: Step[] = []

  function under(at: number): string {
    const underWay = steps.filter(({ from, to }) => from <= at && at <= to)
    if (underWay.length > 0) return `by ${underWay.map(({ name }) => name).join(' or ')}`
    const before = steps.findLast(({ to }) => to < at)
    return before ? `by no request, after ${before.name}` : 'by no request, before the first'
  }

  return {
    begin({ method = 'GET', url }) {
      const step = { name: '', from: Date.now(), to: Number.POSITIVE_INFINITY }
      const line = lineOfTheTest()
      step.name = `${method} ${url}${line}`
      steps.push(step)
      return (status) => {
        step.name = `${method} ${url} (${status})${line}`
        step.to = Date.now()
      }
    },
    explain: ({ what, at }) => (at === undefined ? what : `${what}, ${under(at)}`),
  }
}

/** Where the stack passes through a test file. */
function lineOfTheTest(): string {
  const [, file, line] = /\/(test\/[^:?]+\.test\.ts)[^:]*:(\d+)/.exec(new Error().stack ?? '') ?? []
  return file ? ` at ${file}:${line}` : ''
}
