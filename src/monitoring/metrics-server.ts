import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import type { Metrics } from './metrics.ts'

/**
 * Serves `/metrics` on a port of its own, so that the public proxy cannot expose it by mistake. It asks for no
 * password: everyone who can reach the port may read it.
 *
 * @throws an error with the `code` of the system when it cannot listen there.
 */
export async function serveMetrics({
  metrics,
  host,
  port,
  logger,
}: {
  metrics: Pick<Metrics, 'text' | 'contentType'>
  host: string
  port: number
  logger: Pick<FastifyBaseLogger, 'error'>
}): Promise<Server> {
  const server = createServer(async ({ method, url }, response) => {
    const found = url?.split('?', 1)[0] === '/metrics'
    if (!found || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(found ? 405 : 404, found ? { allow: 'GET, HEAD' } : {}).end()
      return
    }
    try {
      const text = await metrics.text()
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text)
    } catch (err) {
      logger.error({ err }, 'metrics failed')
      response.writeHead(500).end()
    }
  })
  // Longer than from one scrape to the next: where no descriptor is left, the connection that is there still answers.
  server.keepAliveTimeout = 120_000
  server.listen(port, host)
  await once(server, 'listening')
  return server
}
