import fastifyAccepts from '@fastify/accepts'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { changeEmailRoutes, proveEmailRoutes } from './accounts/email-routes.ts'
import { changePasswordRoutes, forgottenPasswordRoutes } from './accounts/password-routes.ts'
import { deleteMeRoutes, meRoutes, registerRoutes } from './accounts/routes.ts'
import { eventRoutes } from './audit/routes.ts'
import type { Dependencies } from './dependencies.ts'
import { bearer } from './http/bearer.ts'
import { answerClientError } from './http/client-error.ts'
import { cors } from './http/cors.ts'
import { ignoreExpectations } from './http/expectations.ts'
import { makeGuards, protect, type ScopeName } from './http/guards.ts'
import { BODY_LIMIT_BYTES, jsonBody } from './http/json-body.ts'
import { trackMethods } from './http/method-not-allowed.ts'
import { openapi } from './http/openapi.ts'
import { problems, routerErrorAnswer } from './http/problem.ts'
import { rateLimits } from './http/rate-limits.ts'
import { logRequest, requestLog } from './http/request-log.ts'
import { securityHeaders } from './http/security-headers.ts'
import { serviceRoutes } from './http/service-routes.ts'
import { shedLoad } from './http/shed-load.ts'
import { forgetPorts } from './http/trusted-proxies.ts'
import { loginRoutes } from './sign-in/routes.ts'
import { discoveryRoutes, introspectionRoutes } from './tokens/discovery-routes.ts'
import { refreshRoutes, sessionRoutes } from './tokens/routes.ts'
import { changeFactorRoutes, factorRoutes } from './two-factor/factor-routes.ts'
import { emailCodeRoutes, setupRoutes, verifyRoutes } from './two-factor/routes.ts'

/**
 * Builds the whole application, for the server and for tests alike. Where a route is registered decides who
 * may call it: each scope below puts its guard before all routes within.
 */
export async function buildApp(deps: Dependencies, logger: FastifyBaseLogger): Promise<FastifyInstance> {
  const { config, instruments } = deps
  const endRequest = (request: FastifyRequest, reply: FastifyReply) => {
    logRequest(request, reply)
    for (const { requestEnded } of instruments) requestEnded?.(request, reply)
  }
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: () => crypto.randomUUID(),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: config.trustProxy.length > 0 ? deps.isTrustedProxy : false,
    // While it ends, what is asked over an open connection is still answered; the answer closes it.
    return503OnClosing: false,
    requestTimeout: 10_000,
    // Ten seconds with the one that Node.js adds.
    keepAliveTimeout: 9_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    clientErrorHandler: answerClientError,
    frameworkErrors: routerErrorAnswer(endRequest),
    // The same in tests as in service: nothing is coerced, nothing dropped, all faults are named at once.
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true },
    },
  })
  app.decorateRequest('principal', null)
  ignoreExpectations(app)

  app.addHook('onRequest', async (request) => {
    forgetPorts(request)
    deps.proxyWatch.see(request)
  })
  for (const { plugin } of instruments) if (plugin) await app.register(plugin)
  await app.register(problems)
  await app.register(requestLog, { endRequest })
  await app.register(securityHeaders)
  if (config.corsOrigins.length > 0) await app.register(cors, { origins: config.corsOrigins })
  await app.register(jsonBody)
  await app.register(fastifyAccepts)
  if (config.rateLimit) await app.register(rateLimits, deps)
  await app.register(openapi, { docs: config.docs })
  await app.register(bearer, deps)
  await app.register(shedLoad, deps)

  const guards = makeGuards(deps)
  const scope = (name: ScopeName, routes: (scope: FastifyInstance) => Promise<void>) =>
    app.register(async (instance) => {
      protect(instance, guards[name])
      await routes(instance)
    })

  const methods = trackMethods(app)

  await scope('public', async (open) => {
    await open.register(serviceRoutes, {
      name: config.appName,
      docs: config.docs,
      readiness: deps.readiness,
    })
    await open.register(discoveryRoutes, deps)
    await open.register(registerRoutes, deps)
    await open.register(loginRoutes, deps)
    await open.register(refreshRoutes, deps)
    await open.register(forgottenPasswordRoutes, deps)
  })
  await scope('mfa-or-fresh', async (halfway) => {
    await halfway.register(setupRoutes, deps)
  })
  await scope('mfa', async (challenged) => {
    await challenged.register(verifyRoutes, deps)
    await challenged.register(emailCodeRoutes, deps)
  })
  await scope('access', async (signedIn) => {
    await signedIn.register(meRoutes, deps)
    await signedIn.register(eventRoutes, deps)
    await signedIn.register(sessionRoutes, deps)
    await signedIn.register(introspectionRoutes, deps)
    await signedIn.register(factorRoutes, deps)
    await signedIn.register(proveEmailRoutes, deps)
  })
  await scope('fresh', async (fresh) => {
    await fresh.register(changeFactorRoutes, deps)
    await fresh.register(changePasswordRoutes, deps)
    await fresh.register(changeEmailRoutes, deps)
    await fresh.register(deleteMeRoutes, deps)
  })

  methods.refuseOthers()
  return app
}
