import fastifyAccepts from '@fastify/accepts'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import {
  changeEmailRoutes,
  changePasswordRoutes,
  deleteMeRoutes,
  forgottenPasswordRoutes,
  meRoutes,
  proveEmailRoutes,
  registerRoutes,
} from '../accounts/routes.ts'
import { eventRoutes } from '../audit/routes.ts'
import { introspectionRoutes } from '../clients/introspection-routes.ts'
import { tokenRoutes } from '../clients/routes.ts'
import { changeFactorRoutes, factorRoutes, verifyRoutes } from '../factors/routes.ts'
import { answerClientError } from '../http/client-error.ts'
import { ignoreExpectations, MANY_CONNECTIONS, sparesConnections } from '../http/connections.ts'
import { cors } from '../http/cors.ts'
import { BODY_LIMIT_BYTES, jsonBody } from '../http/json-body.ts'
import { trackMethods } from '../http/method-not-allowed.ts'
import { oneAtATime } from '../http/one-at-a-time.ts'
import { makeProblemOf, problems, routerErrorAnswer } from '../http/problem.ts'
import { publicDocuments } from '../http/public-documents.ts'
import { rateLimits } from '../http/rate-limits.ts'
import { logRequest, requestLog } from '../http/request-log.ts'
import { buildSerializer, buildValidator } from '../http/schema-compilers.ts'
import { answerHeaders, securityHeaders } from '../http/security-headers.ts'
import { shedLoad } from '../http/shed-load.ts'
import { nameClient } from '../http/trusted-proxies.ts'
import { basePathOf } from '../platform/hosts.ts'
import type { Service } from '../service.ts'
import { loginRoutes, stepUpRoutes } from '../sign-in/routes.ts'
import { discoveryRoutes } from '../tokens/discovery-routes.ts'
import { logoutRoutes, refreshRoutes, revocationRoutes, sessionRoutes } from '../tokens/routes.ts'
import { bearer } from './bearer.ts'
import { configRoute } from './config-route.ts'
import { makeGuards, protect } from './guards.ts'
import { openapi } from './openapi.ts'
import { principals, type ScopeName } from './principal.ts'
import { problemsRoute } from './problems-page.ts'
import { serviceRoutes } from './service-routes.ts'

/** Who may call which routes; each factor brings its own. A scope puts its guard before all of its routes. */
const ROUTES = {
  public: [
    serviceRoutes,
    configRoute,
    problemsRoute,
    discoveryRoutes,
    registerRoutes,
    loginRoutes,
    refreshRoutes,
    tokenRoutes,
    revocationRoutes,
    forgottenPasswordRoutes,
  ],
  mfa: [verifyRoutes],
  access: [meRoutes, eventRoutes, sessionRoutes, factorRoutes, stepUpRoutes],
  'access-or-refresh': [logoutRoutes],
  'access-or-link': [proveEmailRoutes],
  'client-or-access': [introspectionRoutes],
  account: [changeFactorRoutes, changePasswordRoutes, changeEmailRoutes, deleteMeRoutes],
} as const satisfies Record<string, readonly FastifyPluginAsync<{ room: Service }>[]>

/** Fastify looks through all modules for the name of a plugin that has none of its own: a sixth of what it takes to build. */
function named<T extends object>(plugin: T): T {
  return Object.assign(plugin, { [Symbol.for('fastify.display-name')]: 'routes' })
}

/** Builds the whole application, for the server and for tests. */
export async function buildApp(service: Service, logger: FastifyBaseLogger): Promise<FastifyInstance> {
  const { config, instruments } = service
  const headersOf = answerHeaders(config.issuer)
  const problemOf = makeProblemOf(config.issuer)
  const endRequest = (request: FastifyRequest, reply: FastifyReply) => {
    logRequest(request, reply)
    service.proxyWatch.answered(request, reply)
    for (const { requestEnded } of instruments) requestEnded?.(request, reply)
  }
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: () => crypto.randomUUID(),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: config.trustProxy.length > 0 ? service.isTrustedProxy : false,
    // While the service ends, requests on open connections are still answered. The answer closes the connection.
    return503OnClosing: false,
    // Everything that a start waits for has an end of its own. Ten seconds for each plugin are few on a busy machine.
    pluginTimeout: 0,
    requestTimeout: 10_000,
    // On a connection on which nothing moves: its client does not read the answer.
    connectionTimeout: 30_000,
    keepAliveTimeout: config.keepAliveSeconds * 1000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, requireHostHeader: false },
    clientErrorHandler: (error, socket) =>
      answerClientError(error, socket, headersOf, problemOf, (unreadable) => {
        logger.info(unreadable, 'request unreadable')
        for (const { unreadable: count } of instruments) count?.(unreadable.problem)
      }),
    schemaController: { compilersFactory: { buildSerializer, buildValidator } },
    frameworkErrors: routerErrorAnswer(endRequest, headersOf, problemOf),
  })
  await app.register(principals)
  ignoreExpectations(app)
  oneAtATime(app)
  sparesConnections(app.server, MANY_CONNECTIONS)

  app.addHook('onRequest', async (request) => {
    service.proxyWatch.see(request)
    nameClient(request, service.isTrustedProxy)
  })
  for (const { plugin } of instruments) if (plugin) await app.register(plugin)
  await app.register(problems, { problemOf })
  await app.register(requestLog, { endRequest })
  await app.register(securityHeaders, { headersOf })
  if (config.corsOrigins.length > 0) await app.register(cors, { origins: config.corsOrigins })
  await app.register(jsonBody)
  await app.register(fastifyAccepts)
  await app.register(publicDocuments)
  if (config.rateLimit) await app.register(rateLimits, service)
  await app.register(openapi, { basePath: basePathOf(config.issuer), docs: config.docs })
  await app.register(bearer, service)
  await app.register(shedLoad, service)

  const guards = makeGuards(service)
  const methods = trackMethods(app)
  const open = (name: ScopeName, routes: readonly FastifyPluginAsync<{ room: never }>[]) =>
    app.register(
      named(async (scope: FastifyInstance) => {
        protect(scope, guards[name])
        for (const plugin of routes) await scope.register(named(plugin), { room: service as never })
      }),
    )
  await open('public', ROUTES.public)
  for (const { routes = {} } of service.factors.all)
    for (const [name, plugin] of Object.entries(routes)) await open(name as ScopeName, [plugin])
  const { public: _, ...guarded } = ROUTES
  for (const [name, plugins] of Object.entries(guarded)) await open(name as ScopeName, plugins)
  methods.refuseOthers()
  return app
}
