import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Answer } from '../../service/service.ts'
import { type Content, FORM_TYPE } from './bodies.ts'
import type { Cast } from './cast.ts'
import type { ArbitraryRequest } from './requests.ts'

/** Over the network, byte for byte, on a connection of its own. */
export async function send(port: number, request: ArbitraryRequest, cast: Cast): Promise<Answer> {
  const { method, target, type, content } = request
  const token = cast.token(request.token)
  const bytes = content === undefined ? undefined : bytesOf(content, type, cast)
  const headers = [
    ['host', `127.0.0.1:${port}`],
    ['connection', 'close'],
    ...(token === undefined ? [] : [['authorization', `Bearer ${token}`]]),
    ...(type === undefined ? [] : [['content-type', type]]),
    // Without a length, Node.js would send an empty body in chunks, which is something else than none.
    ['content-length', String(bytes?.length ?? 0)],
    ...request.headers,
  ]
  const path = target.replace('{id}', cast.secret(/factors/.test(target) ? 'factor id' : 'session id'))
  const outgoing = httpRequest({
    port,
    host: '127.0.0.1',
    method,
    path,
    headers: headers.flat(),
    agent: false,
  })
  outgoing.end(bytes)
  // Without it, an error after the answer would have nobody to go to.
  outgoing.on('error', () => {})
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  // What cannot be read as HTTP is refused with a body, also when it was to be a HEAD.
  const chunks = method === 'HEAD' ? [] : await incoming.toArray()
  const text = Buffer.concat(chunks).toString()
  const json = text !== '' && /json/.test(incoming.headers['content-type'] ?? '')
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text,
    body: json ? JSON.parse(text) : undefined,
  }
}

function bytesOf(content: Content, type: string | undefined, cast: Cast): Uint8Array {
  if (content instanceof Uint8Array) return content
  if (typeof content === 'string') return Buffer.from(content)
  const members = content.map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(cast.secret(value.secret)),
  ])
  if (type === FORM_TYPE)
    return Buffer.from(
      new URLSearchParams(members.map(([name, value]): [string, string] => [name, bare(value)])).toString(),
    )
  return Buffer.from(`{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`)}}`)
}

/** A JSON string without what makes it one. */
function bare(json: string): string {
  return json.startsWith('"') ? json.slice(1, -1) : json
}
