import fastifyAccepts from '@fastify/accepts'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { changeEmailRoutes, proveEmailRoutes } from '../accounts/email-routes.ts'
import { changePasswordRoutes, forgottenPasswordRoutes } from '../accounts/password-routes.ts'
import { deleteMeRoutes, meRoutes, registerRoutes } from '../accounts/routes.ts'
import { eventRoutes } from '../audit/routes.ts'
import { changeFactorRoutes, factorRoutes, verifyRoutes } from '../factors/routes.ts'
import { answerClientError } from '../http/client-error.ts'
import { cors } from '../http/cors.ts'
import { ignoreExpectations } from '../http/expectations.ts'
import { BODY_LIMIT_BYTES, jsonBody } from '../http/json-body.ts'
import { trackMethods } from '../http/method-not-allowed.ts'
import { problems, routerErrorAnswer } from '../http/problem.ts'
import { rateLimits } from '../http/rate-limits.ts'
import { logRequest, requestLog } from '../http/request-log.ts'
import { buildSerializer, buildValidator } from '../http/schema-compilers.ts'
import { securityHeaders } from '../http/security-headers.ts'
import { shedLoad } from '../http/shed-load.ts'
import { forgetPorts } from '../http/trusted-proxies.ts'
import type { Service } from '../service.ts'
import { loginRoutes, stepUpRoutes } from '../sign-in/routes.ts'
import { discoveryRoutes, introspectionRoutes } from '../tokens/discovery-routes.ts'
import { refreshRoutes, sessionRoutes } from '../tokens/routes.ts'
import { bearer } from './bearer.ts'
import { makeGuards, protect } from './guards.ts'
import { openapi } from './openapi.ts'
import { principals, type ScopeName } from './principal.ts'
import { serviceRoutes } from './service-routes.ts'

/**
 * Builds the whole application, for the server and for tests. The scope that a route is registered in decides who may
 * call it: each scope below puts its guard before all of its routes.
 */
export async function buildApp(service: Service, logger: FastifyBaseLogger): Promise<FastifyInstance> {
  const { config, instruments } = service
  const endRequest = (request: FastifyRequest, reply: FastifyReply) => {
    logRequest(request, reply)
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
    requestTimeout: 10_000,
    // Ten seconds, with the one that Node.js adds.
    keepAliveTimeout: 9_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    clientErrorHandler: answerClientError,
    schemaController: { compilersFactory: { buildSerializer, buildValidator } },
    frameworkErrors: routerErrorAnswer(endRequest),
  })
  await app.register(principals)
  ignoreExpectations(app)

  app.addHook('onRequest', async (request) => {
    forgetPorts(request)
    service.proxyWatch.see(request)
  })
  for (const { plugin } of instruments) if (plugin) await app.register(plugin)
  await app.register(problems)
  await app.register(requestLog, { endRequest })
  await app.register(securityHeaders)
  if (config.corsOrigins.length > 0) await app.register(cors, { origins: config.corsOrigins })
  await app.register(jsonBody)
  await app.register(fastifyAccepts)
  if (config.rateLimit) await app.register(rateLimits, service)
  const basePath = new URL(config.issuer).pathname.replace(/\/$/, '')
  await app.register(openapi, { basePath, docs: config.docs })
  await app.register(bearer, service)
  await app.register(shedLoad, service)

  const guards = makeGuards(service)
  const scope = (name: ScopeName, routes: (scope: FastifyInstance) => Promise<void>) =>
    app.register(async (instance) => {
      protect(instance, guards[name])
      await routes(instance)
    })

  const methods = trackMethods(app)
  const room = service

  await scope('public', async (open) => {
    await open.register(serviceRoutes, {
      basePath,
      name: config.appName,
      docs: config.docs,
      readiness: service.readiness,
    })
    await open.register(discoveryRoutes, { room })
    await open.register(registerRoutes, { room })
    await open.register(loginRoutes, { room })
    await open.register(refreshRoutes, { room })
    await open.register(forgottenPasswordRoutes, { room })
  })
  for (const { routes = {} } of service.factors.all)
    for (const [name, plugin] of Object.entries(routes))
      await scope(name as ScopeName, async (guarded) => {
        await guarded.register(plugin, { room: room as never })
      })
  await scope('mfa', async (challenged) => {
    await challenged.register(verifyRoutes, { room })
  })
  await scope('access', async (signedIn) => {
    await signedIn.register(meRoutes, { room })
    await signedIn.register(eventRoutes, service)
    await signedIn.register(sessionRoutes, { room })
    await signedIn.register(introspectionRoutes, { room })
    await signedIn.register(factorRoutes, { room })
    await signedIn.register(stepUpRoutes, { room })
    await signedIn.register(proveEmailRoutes, { room })
  })
  await scope('account', async (changing) => {
    await changing.register(changeFactorRoutes, { room })
    await changing.register(changePasswordRoutes, { room })
    await changing.register(changeEmailRoutes, { room })
    await changing.register(deleteMeRoutes, { room })
  })
  methods.refuseOthers()
  return app
}
