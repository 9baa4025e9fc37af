import type { RouteOptions } from 'fastify'
import t from 'tap'
import { isProblem } from '../helpers/requests/problems.ts'
import { collectRoutes } from '../helpers/service/routes.ts'
import { startService } from '../helpers/service/service.ts'

/**
 * Who may call what, and how often: every route of the service. A route that is new belongs into this table; one
 * that was registered outside of the guarded scopes has no scope to write there, and fails.
 */
const TABLE = `
DELETE /2fa                                     account        general
DELETE /2fa/factors/:id                         account        general
DELETE /me                                      account        general
DELETE /sessions                                access         general
DELETE /sessions/:id                            access         general
GET    /                                        public         general
GET    /.well-known/jwks.json                   public         general
GET    /.well-known/oauth-authorization-server  public         general
GET    /2fa                                     access         general
GET    /config                                  public         general
GET    /livez                                   public         general
GET    /me                                      access         general
GET    /me/events                               access         general
GET    /openapi.json                            public         general
GET    /openapi.yaml                            public         general
GET    /problems                                public         general
GET    /readyz                                  public         general
GET    /sessions                                access         general
PATCH  /2fa/factors/:id                         account        general
POST   /2fa/email                               mfa            codes
POST   /2fa/passkeys                            mfa-or-account codes
POST   /2fa/passkeys/challenge                  mfa-or-access  codes
POST   /2fa/passkeys/options                    mfa-or-account codes
POST   /2fa/recovery-codes                      account        codes
POST   /2fa/setup                               mfa-or-account codes
POST   /2fa/setup/confirm                       account        codes
POST   /2fa/step-up                             access         codes
POST   /2fa/verify                              mfa            codes
POST   /login                                   public         login
POST   /login/passkey                           public         login
POST   /login/passkey/options                   public         login
POST   /logout                                  access-or-refresh general
POST   /me/email/verify                         access-or-link codes
POST   /password/change                         account        login
POST   /password/forgot                         public         login
POST   /password/reset                          public         login
POST   /register                                public         register
POST   /token                                   public         client
POST   /token/introspect                        client-or-access client
POST   /token/refresh                           public         general
POST   /token/revoke                            public         general
PUT    /2fa/email                               account        general
PUT    /me/email                                account        codes
`

const { built: service, routes } = await collectRoutes(() => startService(t))
const methodsOf = ({ method }: RouteOptions) => [method].flat().filter((name) => name !== 'HEAD')
const isDocs = ({ url }: RouteOptions) => url === '/docs' || url.startsWith('/docs/')

t.test('the table of routes, scopes and limits', async (t) => {
  const guarded = routes.filter(({ config }) => config?.guard)
  const lines = guarded.flatMap((route) =>
    methodsOf(route).map((method) =>
      [
        method.padEnd(6),
        route.url.padEnd(40),
        route.config?.guard?.scope.padEnd(14),
        route.config?.limit ?? 'general',
      ].join(' '),
    ),
  )
  t.comment(`\n${lines.sort().join('\n')}`)
  t.equal(lines.sort().join('\n'), TABLE.trim())
})

t.test(
  'outside of the scopes there is the documentation, and what says that a method is wrong',
  async (t) => {
    const unguarded = routes.filter((route) => !route.config?.guard && !isDocs(route))
    t.ok(unguarded.length > 0)
    for (const { url, method } of unguarded)
      for (const name of [method].flat())
        t.equal(
          (await service.post(url, undefined, undefined, { method: name as 'GET' })).status,
          405,
          `${name} ${url}`,
        )
  },
)

t.test('what is not public asks for a token before it looks at anything else', async (t) => {
  const closed = routes.filter(({ config }) => config?.guard && config.guard.scope !== 'public')
  t.ok(closed.length > 0)
  // What the body may show is looked for there; that it is JSON must come first.
  const inBody = ['access-or-refresh', 'access-or-link', 'client-or-access']
  const body = { payload: '{', headers: { 'content-type': 'application/json' } }
  for (const route of closed)
    for (const method of methodsOf(route)) {
      const options = method === 'GET' || inBody.includes(route.config?.guard?.scope ?? '') ? {} : body
      const answer = await service.post(route.url, undefined, undefined, {
        method: method as 'GET',
        ...options,
      })
      isProblem(t, answer, 'invalid_token', `${method} ${route.url}`)
    }
})

t.test('with DOCS=off there is no documentation to guard', async (t) => {
  const { built, routes } = await collectRoutes(() => startService(t, { environment: { DOCS: 'off' } }))
  t.strictSame(routes.filter(isDocs), [])
  isProblem(t, await built.get('/docs'), 'not_found')
  t.notMatch((await built.get('/')).body.links, { docs: /./ })
})
