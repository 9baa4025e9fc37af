import type { InjectOptions } from 'fastify'
import type { Client } from '../../../src/clients/client.ts'
import { changeClient, createClient, endOldSecrets, rotateSecret } from '../../../src/clients/manage.ts'
import type { Answer, Service } from '../service/service.ts'

const operator = { by: 'operator', ip: '', userAgent: 'keyturn (test)', requestId: 'test' } as const

/** What a service shows. */
export interface Shown {
  id: string
  secret: string
}

let made = 0

/** A service client as `keyturn clients create` makes it. */
export async function newClient(service: Service, some: Partial<Omit<Client, 'id'>> = {}): Promise<Shown> {
  const {
    name = `client-${++made}`,
    audiences = [service.config.audiences[0]],
    scopes = ['introspect'],
  } = some
  const client = await createClient(service.deps, { name, audiences, scopes }, operator)
  if (!client) throw new Error(`There is a client ${name} already`)
  return client
}

export const rotate = (service: Service, id: string) => rotateSecret(service.deps, id, operator)
export const endOld = (service: Service, id: string) => endOldSecrets(service.deps, id, operator)
export const change = (service: Service, id: string, what: 'disable' | 'enable' | 'delete') =>
  changeClient(service.deps, id, what, operator)

/** RFC 6749 section 2.3.1. */
export const basic = ({ id, secret }: Shown) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

/** A form, as OAuth clients send it. */
export function postForm(
  service: Pick<Service, 'post'>,
  url: string,
  form: Record<string, string> | string,
  authorization?: string,
  headers: InjectOptions['headers'] = {},
): Promise<Answer> {
  return service.post(url, undefined, undefined, {
    payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(authorization && { authorization }),
      ...headers,
    },
  })
}

/** The service token that a client gets for its secret. */
export async function serviceToken(
  service: Service,
  client: Shown,
  form: Record<string, string> = {},
): Promise<string> {
  const answer = await postForm(
    service,
    '/token',
    { grant_type: 'client_credentials', ...form },
    basic(client),
  )
  if (answer.status !== 200) throw new Error(`No service token: ${answer.status} ${answer.text}`)
  return answer.body.access_token
}

/** How an OAuth endpoint has answered: its status, and the `error` where it is one. */
export const oauthOutcome = ({ status, body }: Answer) =>
  body?.error ? `${status} ${body.error}` : `${status}`
