import { METHODS } from 'node:http'
import { problemCodes } from '../errors.ts'
import { routeOf } from '../http/request-log.ts'
import type { Instrument } from './instrument.ts'
import type { Meters } from './meters.ts'

/** In seconds: from an answer out of memory to a password that waits in the queue. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** All paths that do not exist share one label: with one for each, strangers could make up any number of series. */
const NO_ROUTE = '(none)'

const KNOWN_METHODS = new Set(METHODS)

/** Requests by the route names of the log, and refusals by the codes that clients see. */
export function requestMetrics({ counter, histogram }: Meters): Instrument {
  const duration = histogram(
    'keyturn_http_request_duration_seconds',
    'Time from the request to the end of its answer',
    BUCKETS,
    ['method', 'route', 'status'],
  )
  const problems = counter('keyturn_http_problems_total', 'Answers that were problems, by their code', [
    'code',
  ])
  for (const code of problemCodes) problems.inc({ code }, 0)
  return {
    unreadable: (code) => problems.inc({ code }),
    requestEnded(request, reply) {
      const route = routeOf(request) ?? NO_ROUTE
      const method = KNOWN_METHODS.has(request.method) ? request.method : 'other'
      duration.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
      if (request.problemCode) problems.inc({ code: request.problemCode })
    },
  }
}
