import {
  type Context,
  context,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { startNodeSdk } from '@opentelemetry/sdk-node'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { COLLECTORS } from '../config.ts'
import { routeOf } from '../http/request-log.ts'
import type { IsTrustedProxy } from '../http/trusted-proxies.ts'
import { withoutTlsSwitch } from '../platform/hosts.ts'
import type { Instrument } from './instrument.ts'

/** How long the end of the process may wait for a collector that does not answer. */
const LAST_EXPORT_MS = 2_000

/**
 * OpenTelemetry traces by the standard `OTEL_*` variables: a span for each request, with the name of its route and
 * the id that the log has for it, and within it one for each password hash and each mail. Spans contain no URLs,
 * bodies or names.
 */
export function startTraces(
  logger: Pick<FastifyBaseLogger, 'debug' | 'info' | 'warn' | 'error'>,
  isTrustedProxy: IsTrustedProxy,
) {
  // The library reads the environment by itself, and would ask for a path behind the query.
  for (const name of COLLECTORS) {
    const { [name]: place } = process.env
    if (place) process.env[name] = withoutTlsSwitch(place.trim())
  }
  const sdk = startNodeSdk({
    // Only traces are exported here: Prometheus reads the metrics, and the log goes to standard output.
    metricReaders: [],
    logRecordProcessors: [],
    ...(process.env.OTEL_SERVICE_NAME ? {} : { resourceAttributes: { 'service.name': 'keyturn' } }),
  })
  reportTo(logger)
  return {
    instrument: { ...requestSpans(isTrustedProxy), ...workSpans() } satisfies Instrument,
    /** Exports the spans that were not sent yet. */
    async end(): Promise<void> {
      const timeout = AbortSignal.timeout(LAST_EXPORT_MS)
      const late = new Promise((resolve) => timeout.addEventListener('abort', resolve))
      await Promise.race([sdk.shutdown().catch((err) => logger.warn({ err }, 'traces lost')), late])
    },
  }
}

/** Messages of the library go to the log, as JSON like all others. */
function reportTo(logger: Pick<FastifyBaseLogger, 'debug' | 'info' | 'warn' | 'error'>): void {
  const say =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, ...details: unknown[]) =>
      logger[level]({ details: details.map(String) }, `traces: ${message}`)
  diag.setLogger(
    { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug'), verbose: () => {} },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
}

const tracer = () => trace.getTracer('keyturn')

/**
 * A caller's own trace is continued only when a trusted proxy brings it: a stranger would take requests out of the
 * traces, or file them under the trace of another one.
 */
function requestSpans(isTrustedProxy: IsTrustedProxy): Pick<Instrument, 'plugin' | 'requestEnded'> {
  const spans = new WeakMap<FastifyRequest, { span: Span; within: Context }>()

  return {
    plugin: fp(
      async function traces(app) {
        app.addHook('onRequest', (request, _reply, done) => {
          const caller = isTrustedProxy(request.socket.remoteAddress ?? '')
            ? propagation.extract(ROOT_CONTEXT, request.headers)
            : ROOT_CONTEXT
          const route = routeOf(request)
          const span = tracer().startSpan(
            route === null ? request.method : `${request.method} ${route}`,
            {
              kind: SpanKind.SERVER,
              attributes: {
                'http.request.method': request.method,
                ...(route !== null && { 'http.route': route }),
                'keyturn.request_id': request.id,
              },
            },
            caller,
          )
          const within = trace.setSpan(caller, span)
          spans.set(request, { span, within })
          context.with(within, done)
        })
        // The code after a body runs in the callback of its last chunk, outside of the context of the request.
        app.addHook('preValidation', (request, _reply, done) => {
          context.with(spans.get(request)?.within ?? context.active(), done)
        })
      },
      { name: 'traces' },
    ),

    requestEnded(request, reply) {
      const { span } = spans.get(request) ?? {}
      span?.setAttribute('http.response.status_code', reply.statusCode)
      if (request.problemCode) span?.setAttribute('error.type', request.problemCode)
      // A mistake of the client is not an error of this service (semantic conventions for HTTP servers).
      if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR })
      span?.end()
    },
  }
}

function workSpans(): Pick<Instrument, 'hashQueue' | 'mailer'> {
  return {
    hashQueue: (queue) => ({
      ...queue,
      run: (work, options) =>
        inSpan('hash password', (span) =>
          queue.run(() => {
            span.addEvent('begun')
            return work()
          }, options),
        ),
    }),
    mailer: (mailer) => ({
      ...mailer,
      send: (mail) => inSpan('send mail', () => mailer.send(mail)),
    }),
  }
}

function inSpan<T>(name: string, work: (span: Span) => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, async (span) => {
    try {
      return await work(span)
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name })
      throw error
    } finally {
      span.end()
    }
  })
}
