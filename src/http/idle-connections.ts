import type { Server } from 'node:http'

/** So many open connections are as good as free; a flood of idle ones is not kept for as long. */
export const MANY_CONNECTIONS = 2_000

const SHORT_MS = 9_000

/** While there are many connections, idle ones are given up early: those that are idle now, and the next ones after seconds. */
export function sparesConnections(server: Server, many: number): void {
  const longMs = server.keepAliveTimeout
  let open = 0
  server.on('connection', (socket) => {
    open += 1
    if (open === many) {
      server.keepAliveTimeout = Math.min(SHORT_MS, longMs)
      server.closeIdleConnections()
    }
    socket.once('close', () => {
      if (open === many) server.keepAliveTimeout = longMs
      open -= 1
    })
  })
}
