import { availableParallelism } from 'node:os'
import type { FastifyBaseLogger } from 'fastify'
import { makeAccounts } from './accounts/accounts.ts'
import { makeAskForPassword } from './accounts/ask-for-password.ts'
import { makeChangeEmail } from './accounts/change-email.ts'
import { makeChangePassword } from './accounts/change-password.ts'
import { makeCloseAccount } from './accounts/close-account.ts'
import { makeCreateAccount } from './accounts/create-account.ts'
import { makeDeleteAccount } from './accounts/delete-account.ts'
import { makeAnswerForgotten, makeForgetPassword } from './accounts/forgotten-password.ts'
import { makeImportAccounts } from './accounts/import-accounts.ts'
import { makePasswordRules, PASSWORD_MIN } from './accounts/password-rules.ts'
import { makeRegister } from './accounts/register.ts'
import { makeResetPassword } from './accounts/reset-password.ts'
import { makeAuditTrail } from './audit/trail.ts'
import type { Config } from './config.ts'
import { loadArgon2Engine } from './crypto/argon2-engine.ts'
import { makeHashQueue } from './crypto/hash-queue.ts'
import { makeKeyRing } from './crypto/key-ring.ts'
import { type KeyedHash, makeKeyedHash } from './crypto/keyed-hash.ts'
import { makePasswordHasher } from './crypto/password-hasher.ts'
import { makeSecretBox } from './crypto/secret-box.ts'
import { makeProxyWatch } from './http/proxy-watch.ts'
import { makeReadiness } from './http/readiness.ts'
import type { SharedCounts } from './http/shared-counts.ts'
import { trustedProxies } from './http/trusted-proxies.ts'
import { makeMailAllowance } from './mail/allowance.ts'
import { makeNotices } from './mail/notices.ts'
import { makeOutbox, noOutbox } from './mail/outbox.ts'
import { makeSendLetter } from './mail/send-letter.ts'
import { makeCleanUp } from './operator/clean-up.ts'
import { type Instrument, watched } from './operator/monitoring/instrument.ts'
import type { Clock } from './platform/clock.ts'
import type { Db } from './platform/database.ts'
import { makeChallenges } from './sign-in/challenges.ts'
import { makeCheckCredentials } from './sign-in/credentials.ts'
import { makeFailureCounters } from './sign-in/failure-counters.ts'
import { makeLogin } from './sign-in/login.ts'
import { makeDescribeMfaStep } from './sign-in/mfa-step.ts'
import { makeUnlock } from './sign-in/unlock.ts'
import { makeAccessTokens } from './tokens/access-token.ts'
import { openHashKey } from './tokens/hash-key.ts'
import { makeMfaTokens } from './tokens/mfa-token.ts'
import { makeRefresh } from './tokens/refresh.ts'
import { makeSessions } from './tokens/sessions.ts'
import { makeFindSignedIn, makeStillSignedIn } from './tokens/signed-in.ts'
import { openSigningKeys } from './tokens/signing-keys.ts'
import { makeTokenResponse } from './tokens/token-response.ts'
import { makeConfirm } from './two-factor/confirm.ts'
import { makeDescribeFactors } from './two-factor/describe-factors.ts'
import { makeEmailCodes } from './two-factor/email-codes.ts'
import { makeFactors } from './two-factor/factors.ts'
import { makeKeepAuthenticators } from './two-factor/keep-authenticators.ts'
import { makeProve } from './two-factor/prove.ts'
import { makeRecoveryCodes } from './two-factor/recovery-codes.ts'
import { makeRemoveFactors } from './two-factor/remove.ts'
import { makeRenewRecoveryCodes } from './two-factor/renew-recovery-codes.ts'
import { makeResetFactors } from './two-factor/reset-factors.ts'
import { makeSetUp } from './two-factor/setup.ts'
import { makeStepUp } from './two-factor/step-up.ts'
import { makeTotpCodes } from './two-factor/totp-codes.ts'
import { makeVerify } from './two-factor/verify.ts'

/** What the outside gives: everything else follows from it. */
export interface Surroundings {
  config: Readonly<Config>
  db: Db
  clock: Clock
  logger: FastifyBaseLogger
  /** What `SECRET_KEY` holds, the sealing one first. */
  rootKeys: readonly Buffer[]
  /** How many hashes may run at once, whatever the configuration says. */
  hashThreads?: number
  /** What watches the service while it works. */
  instruments?: readonly Instrument[]
}

/** Everything the routes and guards are given. */
export type Dependencies = Awaited<ReturnType<typeof makeDependencies>>

/**
 * The composition root: the only place that knows who needs what. It goes from the ground up; each layer is
 * handed on whole, and every factory says in its own parameters what it takes of it.
 *
 * @throws {UnsealError} when the database was sealed under another `SECRET_KEY`.
 */
export async function makeDependencies({ hashThreads, instruments = [], ...outside }: Surroundings) {
  const { config, clock, logger, rootKeys } = outside
  const db = watched(instruments, 'db', outside.db)
  const { issuer, audience, mfaPolicy, docs } = config
  const keyRing = makeKeyRing(rootKeys)
  const box = makeSecretBox(keyRing)
  const keyedHash = makeKeyedHash(await openHashKey({ db, box, clock }))
  const { outbox, sendLetter, answerForgotten } = await makeMail({
    ...outside,
    db,
    box,
    keyedHash,
    instruments,
  })
  const notices = makeNotices({ outbox, clock })
  const trail = watched(instruments, 'trail', makeAuditTrail({ clock, logger, notices }))
  const ground = { db, clock, box, keyedHash, trail, outbox }

  const tokenTtl = config.accessTokenTtl
  const signingKeys = await openSigningKeys({ ...ground, alg: config.jwtAlg, tokenTtl })
  const accessTokens = makeAccessTokens({ ...ground, signingKeys, issuer, audience, ttl: tokenTtl })
  const mfaTokens = makeMfaTokens({ ...ground, keyRing, issuer })
  const sessions = makeSessions({ ...ground, refreshTtl: config.refreshTokenTtl })

  const isTrustedProxy = trustedProxies(config.trustProxy)
  const proxyWatch = makeProxyWatch({ isTrustedProxy, clock, logger })
  const sharedCounts = await makeShared({ config, keyedHash, logger })
  const readiness = makeReadiness({ db, sharedCounts, warn: () => [proxyWatch.warning()] })

  const passwordMin = PASSWORD_MIN[mfaPolicy]
  const serviceNames = ['keyturn', config.appName, new URL(issuer).hostname]
  const checkPassword = makePasswordRules({ min: passwordMin, serviceNames })
  const passwords = await makePasswords(config, instruments, hashThreads)
  const accounts = makeAccounts(ground)
  const failureCounters = makeFailureCounters(ground)
  const challenges = makeChallenges({ ...ground, ttl: config.mfaTokenTtl })
  const checkCredentials = makeCheckCredentials({ ...ground, accounts, passwords, failureCounters })

  const totpCodes = makeTotpCodes(ground)
  const recoveryCodes = makeRecoveryCodes(ground)
  const allowance = makeMailAllowance(ground)
  const emailCodes = makeEmailCodes({
    ...ground,
    accounts,
    allowance,
    sendLetter: config.emailCodes ? sendLetter : null,
  })
  const factors = makeFactors({ emailCodes, failureCounters })

  const rules = { accounts, challenges, checkCredentials, checkPassword, factors, passwords, sessions }
  const stillSignedIn = makeStillSignedIn(rules)
  const codes = { emailCodes, failureCounters, recoveryCodes, totpCodes }
  const prove = makeProve({ ...ground, ...rules, ...codes })
  const createAccount = makeCreateAccount({ ...ground, ...rules })
  const parts = { ...ground, ...rules, ...codes, prove, stillSignedIn, mfaRequired: mfaPolicy === 'required' }

  return {
    ...parts,
    ...{ isTrustedProxy, proxyWatch, readiness, sharedCounts },
    ...{ config, instruments, issuer, docs, passwordMin, signingKeys, accessTokens, mfaTokens },
    findSignedIn: makeFindSignedIn(parts),
    describeMfaStep: makeDescribeMfaStep({ mfaTokens, clock }),
    respondWithTokens: makeTokenResponse({ accessTokens, clock }),

    register: makeRegister({ ...parts, createAccount, open: config.registration === 'open' }),
    login: makeLogin(parts),
    setUp: makeSetUp({ ...parts, issuer: config.appName }),
    verify: makeVerify(parts),
    confirm: makeConfirm(parts),
    stepUp: makeStepUp(parts),
    refresh: makeRefresh({ ...parts, refreshTtl: config.refreshTokenTtl }),

    describeFactors: makeDescribeFactors(parts),
    renewRecoveryCodes: makeRenewRecoveryCodes(parts),
    removeFactors: makeRemoveFactors(parts),
    changeEmail: makeChangeEmail({ ...parts, allowance, sendLetter }),
    changePassword: makeChangePassword(parts),
    forgetPassword: makeForgetPassword(parts),
    resetPassword: makeResetPassword(parts),
    deleteAccount: makeDeleteAccount(parts),
    cleanUp: makeCleanUp(parts),

    createAccount,
    closeAccount: makeCloseAccount(parts),
    askForPassword: makeAskForPassword({ ...parts, answerForgotten }),
    importAccounts: makeImportAccounts({ ...parts, keepAuthenticators: makeKeepAuthenticators(ground) }),
    resetFactors: makeResetFactors(parts),
    unlock: makeUnlock(parts),
  }
}

/** What replicas count together. Redis and its client are for those who have more than one. */
async function makeShared({
  config: { rateLimit, redisUrl: url },
  ...ground
}: Pick<Surroundings, 'config' | 'logger'> & { keyedHash: KeyedHash }): Promise<SharedCounts | null> {
  if (!rateLimit || !url) return null
  const { makeSharedCounts } = await import('./http/shared-counts.ts')
  return makeSharedCounts({ ...ground, url })
}

/** A service without a mail server keeps no mail and sends none; what needs it says so. */
async function makeMail({
  config,
  instruments,
  ...ground
}: { instruments: readonly Instrument[] } & Pick<Surroundings, 'config' | 'db' | 'clock' | 'logger'> &
  Pick<Parameters<typeof makeOutbox>[0], 'box'> &
  Pick<Parameters<typeof makeAnswerForgotten>[0], 'keyedHash'>) {
  const { smtpUrl: url, mailFrom: from, appName: serviceName } = config
  if (!url || !from) return { outbox: noOutbox, sendLetter: null, answerForgotten: null }
  // Not loaded by those who send no mail: it takes as long to load as the HTTP server.
  const { makeMailer } = await import('./platform/mailer.ts')
  const mailer = watched(instruments, 'mailer', makeMailer({ url, from }))
  const answerForgotten = makeAnswerForgotten(ground)
  return {
    outbox: makeOutbox({ ...ground, mailer, serviceName, answerForgotten }),
    sendLetter: makeSendLetter({ ...ground, mailer, serviceName }),
    answerForgotten,
  }
}

async function makePasswords(
  config: Config,
  instruments: readonly Instrument[],
  hashThreads = config.hashConcurrency,
) {
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
