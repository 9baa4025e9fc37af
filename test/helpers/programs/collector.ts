import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** As much of a span in OTLP/JSON as the tests look at. */
export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  /** `{ code: 2 }` is an error. */
  status: { code?: number }
  attributes: Record<string, string | number>
}

/** A collector of traces that speaks OTLP over HTTP, in JSON. */
export interface Collector {
  /** What switches traces to it on. */
  environment: Record<string, string>
  spans: ReceivedSpan[]
  /** The `service.name` of each export. */
  serviceNames: string[]
}

export async function startCollector(t: Test): Promise<Collector> {
  const spans: ReceivedSpan[] = []
  const serviceNames: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (request.url !== '/v1/traces') return void response.writeHead(404).end()
    for (const { resource, scopeSpans } of JSON.parse(Buffer.concat(chunks).toString()).resourceSpans) {
      serviceNames.push(String(attributesOf(resource)['service.name']))
      for (const scope of scopeSpans)
        for (const span of scope.spans) spans.push({ ...span, attributes: attributesOf(span) })
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return {
    spans,
    serviceNames,
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
  }
}

interface Attributed {
  attributes?: { key: string; value: Record<string, string | number> }[]
}

function attributesOf({ attributes = [] }: Attributed): Record<string, string | number> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] ?? '']))
}
