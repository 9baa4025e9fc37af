import { availableParallelism } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import { makeAccounts } from './accounts/accounts.ts'
import { findForgotten, makeAnswerForgotten } from './accounts/forgotten-password.ts'
import { makePasswordRules, PASSWORD_MIN } from './accounts/password-rules.ts'
import { makeIsReserved } from './accounts/reserved-names.ts'
import type { AccountsRoom } from './accounts/room.ts'
import { makeAttempts } from './attempts/attempts.ts'
import { makeOwnNetworks } from './attempts/own-networks.ts'
import { makeAuditTrail } from './audit/trail.ts'
import { makeChallenges } from './challenges/challenges.ts'
import { makeMfaTokens } from './challenges/mfa-token.ts'
import type { Config } from './config.ts'
import { loadArgon2Engine } from './crypto/argon2-engine.ts'
import { makeHashQueue } from './crypto/hash-queue.ts'
import { makeKeyRing } from './crypto/key-ring.ts'
import { type KeyedHash, makeKeyedHash } from './crypto/keyed-hash.ts'
import { makePasswordHasher, type PasswordHasher } from './crypto/password-hasher.ts'
import { makeSecretBox, type SecretBox } from './crypto/secret-box.ts'
import { makeFactors } from './factors/factors.ts'
import { factors as registry } from './factors/registry.ts'
import { makeProxyWatch, type ProxyWatch } from './http/proxy-watch.ts'
import { makeReadiness, type Readiness } from './http/readiness.ts'
import type { SharedCounts } from './http/shared-counts.ts'
import { type IsTrustedProxy, trustedProxies } from './http/trusted-proxies.ts'
import { makeMailAllowance } from './mail/allowance.ts'
import { makeRenderLetter } from './mail/letter.ts'
import { makeTellOwner } from './mail/notices.ts'
import { makeOutbox, noOutbox } from './mail/outbox.ts'
import { makeSendLetter } from './mail/send-letter.ts'
import { type Instrument, watched } from './monitoring/instrument.ts'
import type { Clock } from './platform/clock.ts'
import type { Db } from './platform/database.ts'
import { makeAccessTokens } from './tokens/access-token.ts'
import { makeAccountTokens } from './tokens/account-token.ts'
import { openHashKey } from './tokens/hash-key.ts'
import type { TokensRoom } from './tokens/room.ts'
import { makeSessions } from './tokens/sessions.ts'
import { openSigningKeys } from './tokens/signing-keys.ts'
import { warnOfTimesAhead } from './upkeep/latest-times.ts'
import { makeDatabaseProbe } from './upkeep/probe.ts'

/** What the service is made from: settings, database, clock, log and keys. */
export interface Surroundings {
  config: Readonly<Config>
  db: Db
  clock: Clock
  logger: FastifyBaseLogger
  /** The keys of `SECRET_KEY`, of which the first one seals. */
  rootKeys: readonly Buffer[]
  /** How many hashes may run at once, even if the configuration allows more. */
  hashThreads?: number
  /** The instruments that watch the service. */
  instruments?: readonly Instrument[]
}

/** All parts with a state of their own. A use case is a function over the part of this that its room names. */
export interface Service extends AccountsRoom, TokensRoom {
  config: Readonly<Config>
  instruments: readonly Instrument[]
  isTrustedProxy: IsTrustedProxy
  proxyWatch: ProxyWatch
  readiness: Readiness
  sharedCounts: SharedCounts | null
}

/**
 * The composition root: the only place that gives the parts to each other.
 *
 * @throws {UnsealError} when the database was sealed under another `SECRET_KEY`.
 */
export async function makeService(outside: Surroundings): Promise<Service> {
  const { clock, config, instruments = [], logger, rootKeys } = outside
  const { issuer, audiences, mfaPolicy, refreshTokenTtl: refreshTtl } = config
  const db = watched(instruments, 'db', outside.db)
  const keyRing = makeKeyRing(rootKeys)
  const box = makeSecretBox(keyRing)
  const keyedHash = makeKeyedHash(await openHashKey({ db, box, clock }))

  const mail = await makeMail({ config, db, clock, logger, box, keyedHash, instruments })
  const { outbox, sendLetter } = mail
  const tellOwner = makeTellOwner({ outbox, clock })
  const trail = watched(instruments, 'trail', makeAuditTrail({ clock, logger, tellOwner }))

  const ttl = config.accessTokenTtl
  const signingKeys = await openSigningKeys({ db, box, clock, alg: config.jwtAlg, tokenTtl: ttl, logger })
  const accessTokens = makeAccessTokens({ clock, signingKeys, issuer, audiences, ttl })
  const mfaTokens = makeMfaTokens({ clock, keyRing, issuer })
  const accountTokens = makeAccountTokens({ clock, keyRing, issuer })
  const ownNetworks = makeOwnNetworks({ clock, keyedHash })
  const accounts = makeAccounts({ db, clock })
  const { maxSessions } = config
  const sessions = makeSessions({
    ...{ accounts, db, clock, keyedHash, ownNetworks, signingKeys, trail },
    ...{ refreshTtl, maxSessions },
  })

  const attempts = makeAttempts({ clock })
  const challenges = makeChallenges({ db, clock, ttl: config.mfaTokenTtl })
  const sendCode = config.emailCodes ? sendLetter : null
  const mfaRequired = mfaPolicy === 'required'
  const factorParts = {
    ...{
      accounts,
      accessTokens,
      accountTokens,
      attempts,
      box,
      challenges,
      clock,
      db,
      keyedHash,
      ownNetworks,
      sessions,
      trail,
    },
    ...{ allowance: makeMailAllowance({ clock, keyedHash }), appName: config.appName, mfaRequired, sendCode },
    relyingParty: config.relyingParty,
  }
  const factors = makeFactors(registry, factorParts)

  const passwordMin = PASSWORD_MIN[mfaPolicy]
  const serviceNames = ['keyturn', config.appName, new URL(issuer).hostname]
  const checkPassword = makePasswordRules({ min: passwordMin, serviceNames })
  const isReserved = makeIsReserved(serviceNames)
  const passwords = await makePasswords(config, instruments, outside.hashThreads)

  const isTrustedProxy = trustedProxies(config.trustProxy)
  const proxyWatch = makeProxyWatch({ isTrustedProxy, clock, logger })
  const sharedCounts = await makeShared({ config, keyedHash, logger })
  if (sharedCounts) watched(instruments, 'sharedCounts', sharedCounts)
  const warn = async () => [
    ...proxyWatch.warnings(),
    signingKeys.warning(),
    await warnOfTimesAhead({ db, clock }),
  ]
  const probe = watched(instruments, 'probe', makeDatabaseProbe({ db: outside.db, clock, logger }))
  const readiness = makeReadiness({ probe, db: outside.db, sharedCounts, warn })

  return {
    ...factorParts,
    ...{ factors, mfaTokens, signingKeys, issuer, audiences, refreshTtl },
    ...{ checkPassword, isReserved, passwordMin, passwords },
    ...mail,
    ...{ config, instruments },
    ...{ isTrustedProxy, proxyWatch, readiness, sharedCounts },
    docs: config.docs,
    registrationOpen: config.registration === 'open',
    usernames: config.usernames,
    resetUrl: config.resetUrl,
    verifyUrl: config.verifyUrl,
  }
}

/** The counts that replicas share. Redis and its client are only for services with several replicas. */
async function makeShared({
  config: { rateLimit, redisUrl: url },
  ...given
}: Pick<Surroundings, 'config' | 'logger'> & { keyedHash: KeyedHash }): Promise<SharedCounts | null> {
  if (!rateLimit || !url) return null
  const { makeSharedCounts } = await import('./http/shared-counts.ts')
  return makeSharedCounts({ ...given, url })
}

/** A service without a mail server keeps and sends no mail. Use cases that need it say so. */
async function makeMail({
  config: { smtpUrl: url, mailFrom: from, issuer, appName: serviceName, ownMails, resetUrl },
  instruments,
  ...given
}: Pick<Surroundings, 'config' | 'db' | 'clock' | 'logger'> & {
  instruments: readonly Instrument[]
  box: SecretBox
  keyedHash: KeyedHash
}): Promise<Pick<AccountsRoom, 'outbox' | 'sendLetter' | 'answerForgotten'>> {
  if (!url || !from) return { outbox: noOutbox, sendLetter: null, answerForgotten: null }
  // Loaded only where mail is sent, because it takes as long to load as the HTTP server.
  const { makeMailer } = await import('./platform/mailer.ts')
  const mailer = watched(instruments, 'mailer', makeMailer({ url, from, issuer }))
  const answerForgotten = makeAnswerForgotten({ ...given, resetUrl })
  const render = makeRenderLetter({ serviceName, ownMails })
  return {
    outbox: makeOutbox({ ...given, mailer, render, answerForgotten, findForgotten }),
    sendLetter: makeSendLetter({ ...given, mailer, render }),
    answerForgotten,
  }
}

async function makePasswords(
  config: Config,
  instruments: readonly Instrument[],
  hashThreads = config.hashConcurrency,
): Promise<PasswordHasher> {
  const concurrency = Math.min(config.hashConcurrency, hashThreads)
  const queue = makeHashQueue({
    concurrency,
    inFlood: Math.max(1, Math.min(concurrency, availableParallelism() - 1)),
    capacity: config.hashQueue,
  })
  return makePasswordHasher({
    engine: await loadArgon2Engine(config.hashEngine),
    cost: config.argon2,
    queue: watched(instruments, 'hashQueue', queue),
  })
}
