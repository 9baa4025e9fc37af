import type { InjectOptions } from 'fastify'
import { Agent, fetch } from 'undici'
import type { Answer, Reachable, Service } from '../service/service.ts'

/** What can be asked of a service over the network. */
export type Remote = Reachable & Pick<Service, 'put' | 'delete'>

/**
 * A service of another process, called over the network; its clock is the real one.
 *
 * @param from the address of this machine to call from, where it is not to be the usual one.
 */
export function remote(url: string, { from }: { from?: string } = {}): Remote {
  const dispatcher = from && new Agent({ localAddress: from })

  async function call(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    options?: InjectOptions,
  ): Promise<Answer> {
    // A text is sent as it is.
    const payload = typeof options?.payload === 'string' ? options.payload : body && JSON.stringify(body)
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...(options?.headers as Record<string, string>),
      },
      ...(payload !== undefined && { body: payload as string }),
      ...(dispatcher && { dispatcher }),
    })
    const text = await response.text()
    const headers = Object.fromEntries(response.headers)
    const json = /json/.test(headers['content-type'] ?? '')
    return { status: response.status, headers, body: json ? JSON.parse(text) : undefined, text }
  }

  return {
    clock: { now: () => Date.now() },
    get: (path, token, options) => call('GET', path, token, undefined, options),
    post: (path, body, token, options) => call('POST', path, token, body, options),
    put: (path, body, token) => call('PUT', path, token, body),
    delete: (path, token, options) => call('DELETE', path, token, undefined, options),
  }
}
