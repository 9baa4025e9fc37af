import { connect, type Socket } from 'node:net'

export interface Reply {
  status: number
  text: string
  cookies: string[]
  // biome-ignore lint/suspicious/noExplicitAny: a client looks into any answer
  json(): any
}

export interface Call {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
  token?: string
  headers?: Record<string, string>
}

/**
 * One keep-alive connection, one request at a time, with as little work as HTTP/1.1 allows: there are two cores
 * for the service and the load on it, and what the load costs, the service cannot have.
 */
export interface Connection {
  send(call: Call): Promise<Reply>
  close(): void
}

export async function openConnection(port: number): Promise<Connection> {
  const socket = await connected(port)
  let received: Buffer = Buffer.alloc(0)
  let waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null

  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    try {
      const reply = readReply(received)
      if (!reply) return
      received = Buffer.alloc(0)
      waiting?.resolve(reply)
    } catch (error) {
      waiting?.reject(error as Error)
    }
  })
  const lost = (error?: Error) => waiting?.reject(error ?? new Error('the server closed the connection'))
  socket.on('error', lost)
  socket.on('close', () => lost())

  return {
    send(call) {
      const answer = new Promise<Reply>((resolve, reject) => {
        waiting = { resolve, reject }
      })
      socket.write(requestText(call, port))
      return answer
    },
    close: () => void socket.destroy(),
  }
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

function requestText({ method, path, body, token, headers = {} }: Call, port: number): string {
  const payload = body === undefined ? '' : JSON.stringify(body)
  let head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`
  if (token) head += `Authorization: Bearer ${token}\r\n`
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`
  if (body !== undefined) head += 'Content-Type: application/json\r\n'
  if (method === 'POST') head += `Content-Length: ${Buffer.byteLength(payload)}\r\n`
  return `${head}\r\n${payload}`
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** `undefined` while the answer is not complete. */
function readReply(bytes: Buffer): Reply | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const body = bytes.subarray(headEnd + HEAD_END.length)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return body.length < Number(length) ? undefined : new PlainReply(head, body)
  const whole = joinChunks(body)
  return whole && new PlainReply(head, whole)
}

/** RFC 9112 section 7.1, without trailers. */
function joinChunks(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const sizeEnd = bytes.indexOf('\r\n', at)
    if (sizeEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, sizeEnd), 16)
    at = sizeEnd + 2 + size + 2
    if (bytes.length < at) return undefined
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(sizeEnd + 2, at - 2))
  }
}

/** Read when it is looked at: most answers only need their status. */
class PlainReply implements Reply {
  readonly #head: string
  readonly #body: Buffer

  constructor(head: string, body: Buffer) {
    this.#head = head
    this.#body = body
  }

  get status(): number {
    return Number(this.#head.slice(9, 12))
  }

  get text(): string {
    return this.#body.toString()
  }

  /** What a browser would send back. */
  get cookies(): string[] {
    return [...this.#head.matchAll(/\r\nset-cookie: ([^;\r]+)/gi)].map(([, cookie]) => cookie as string)
  }

  json() {
    return JSON.parse(this.text)
  }
}
