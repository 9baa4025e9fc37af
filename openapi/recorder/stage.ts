import { createHash } from 'node:crypto'
import { RULE_NAMES } from '../../test/helpers/service/invariants.ts'
import { type Answer, type MailingService, startService } from '../../test/helpers/service/service.ts'
import type { Refusal, WrongRequest } from './refusals.ts'
import { settled } from './settled.ts'

const ISSUER = 'https://id.example.com'
const ROOT_KEY = createHash('sha256').update('examples').digest()
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0'

/** What a service was sent by ada, and what it has answered. */
interface Exchange {
  status: number
  sent: unknown
  // biome-ignore lint/suspicious/noExplicitAny: any answer
  body: any
}

/** Where requests are sent to real services. */
export interface Stage {
  exchange(route: string, call: Refusal): Promise<Exchange>
  close(): Promise<void>
}

/** A service for each set of settings: most requests can go to one, each by a person of its own, at the same time. */
export function openStage(): Stage {
  const ends: (() => unknown)[] = []
  const t = { teardown: (end: () => unknown) => void ends.unshift(end) } as never
  const services = new Map<unknown, Promise<MailingService>>()
  let people = 0

  const start = async ({ environment, instruments = [] }: Refusal) => {
    const service = await startService(t, {
      mail: true,
      spared: RULE_NAMES,
      environment: { ISSUER, WEBAUTHN_ORIGINS: 'http://localhost:3000', ...environment },
      rootKeys: [ROOT_KEY],
      instruments,
    })
    asByABrowser(service)
    return service
  }

  return {
    async exchange(route, call) {
      const key = call.alone ? call : JSON.stringify(call.environment)
      if (!services.has(key)) services.set(key, start(call))
      const service = (await services.get(key)) as MailingService
      const begun = service.clock.now()
      people += 1
      const name = `ada${people}`
      const request = await call.prepare(service, name)
      const { status, body } = await send(service, route, request)
      service.clock.advance((begun - service.clock.now()) / 1000)
      const exchange = JSON.stringify({ sent: request.form ?? request.body, body })
      return { status, ...settled(JSON.parse(exchange.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), 'ada'))) }
    },

    async close() {
      for (const end of ends) await end()
    },
  }
}

/** Sessions and events tell of the device. */
function asByABrowser({ app }: MailingService): void {
  const inject = app.inject.bind(app) as (options: object) => unknown
  app.inject = ((options: { headers?: object }) =>
    inject({
      remoteAddress: '203.0.113.7',
      ...options,
      headers: { 'user-agent': BROWSER, ...options.headers },
    })) as never
}

function send(service: MailingService, route: string, request: WrongRequest): Promise<Answer> {
  const [method = '', path = ''] = route.split(' ')
  const { url = path, body, form, token, authorization, payload, headers } = request
  return service.post(url, body, token, {
    method: method as 'GET',
    ...(form && { payload: new URLSearchParams(form).toString() }),
    ...(payload && { payload }),
    headers: {
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(authorization && { authorization }),
      ...headers,
    },
  })
}
