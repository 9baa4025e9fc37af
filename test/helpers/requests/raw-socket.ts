import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Answer, Service } from '../service/service.ts'

/** Opens the service on a free port of this machine. */
export async function listen(service: Service): Promise<{ port: number; url: string }> {
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}` }
}

/**
 * A TCP connection that is open.
 *
 * @param options `allowHalfOpen` keeps its side open when the server has closed its own.
 */
export async function openSocket(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', ...options })
  await once(socket, 'connect')
  return socket
}

/** Writes bytes as they are and reads one answer. */
export async function exchange(port: number, bytes: string | Buffer): Promise<Answer> {
  return parseAnswer(await exchangeText(port, bytes))
}

/** Writes bytes as they are and reads until the server closes. */
export async function exchangeText(port: number, bytes: string | Buffer): Promise<string> {
  const socket = await openSocket(port)
  socket.on('error', () => {})
  socket.write(bytes)
  return readToEnd(socket)
}

/** A request without a body, its target as it is: an HTTP client would tidy the path up before sending it. */
export function requestTarget(port: number, method: string, target: string, token?: string): Promise<Answer> {
  const authorization = token ? `Authorization: Bearer ${token}\r\n` : ''
  return exchange(
    port,
    `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${authorization}\r\n`,
  )
}

/** Everything the server says until it closes. */
export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  if (!socket.closed) await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

/** One HTTP answer; its status is 0 when the server closed without a word. */
export function parseAnswer(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [statusLine = '', ...fields] = head.split('\r\n')
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
    }),
  )
  const content = rest.join('\r\n\r\n')
  const json = /json/.test(headers['content-type'] ?? '')
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers,
    body: json ? JSON.parse(content) : undefined,
    text: content,
  }
}
