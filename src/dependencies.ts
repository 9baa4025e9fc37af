import type { FastifyBaseLogger } from 'fastify'
import type { Accounts } from './accounts/accounts.ts'
import { makeAccounts } from './accounts/accounts.ts'
import { type ChangeEmail, makeChangeEmail } from './accounts/change-email.ts'
import { type ChangePassword, makeChangePassword } from './accounts/change-password.ts'
import { type DeleteAccount, makeDeleteAccount } from './accounts/delete-account.ts'
import {
  type ForgetPassword,
  makeAnswerForgotten,
  makeForgetPassword,
} from './accounts/forgotten-password.ts'
import { makePasswordRules, PASSWORD_MIN } from './accounts/password-rules.ts'
import { makeRegister, type Register } from './accounts/register.ts'
import { makeResetPassword, type ResetPassword } from './accounts/reset-password.ts'
import type { Config } from './config.ts'
import { loadArgon2Engine } from './crypto/argon2-engine.ts'
import { makeHashQueue } from './crypto/hash-queue.ts'
import { makeKeyRing } from './crypto/key-ring.ts'
import { makeKeyedHash } from './crypto/keyed-hash.ts'
import { makePasswordHasher } from './crypto/password-hasher.ts'
import { makeSecretBox, type SecretBox } from './crypto/secret-box.ts'
import { makeNotices } from './mail/notices.ts'
import { makeOutbox, noOutbox, type Outbox } from './mail/outbox.ts'
import { makeSendLetter } from './mail/send-letter.ts'
import { makeAuditTrail } from './operator/audit-trail.ts'
import { type CleanUp, makeCleanUp } from './operator/clean-up.ts'
import type { Clock } from './platform/clock.ts'
import type { Db } from './platform/database.ts'
import { makeMailer } from './platform/mailer.ts'
import { type Challenges, makeChallenges } from './sign-in/challenges.ts'
import { makeCheckCredentials } from './sign-in/credentials.ts'
import { makeFailureCounters } from './sign-in/failure-counters.ts'
import { type Login, makeLogin } from './sign-in/login.ts'
import { type DescribeMfaStep, makeDescribeMfaStep } from './sign-in/mfa-step.ts'
import { type AccessTokens, makeAccessTokens } from './tokens/access-token.ts'
import { openHashKey } from './tokens/hash-key.ts'
import { type MfaTokens, makeMfaTokens } from './tokens/mfa-token.ts'
import { makeRefresh, type Refresh } from './tokens/refresh.ts'
import { makeSessions, type Sessions } from './tokens/sessions.ts'
import { type FindSignedIn, makeFindSignedIn } from './tokens/signed-in.ts'
import { openSigningKeys, type SigningKeys } from './tokens/signing-keys.ts'
import { makeTokenResponse, type RespondWithTokens } from './tokens/token-response.ts'
import { type Confirm, makeConfirm } from './two-factor/confirm.ts'
import { type DescribeFactors, makeDescribeFactors } from './two-factor/describe-factors.ts'
import { type EmailCodes, makeEmailCodes } from './two-factor/email-codes.ts'
import { type Factors, makeFactors } from './two-factor/factors.ts'
import { makeProve } from './two-factor/prove.ts'
import { makeRecoveryCodes } from './two-factor/recovery-codes.ts'
import { makeRemoveFactors, type RemoveFactors } from './two-factor/remove.ts'
import { makeRenewRecoveryCodes, type RenewRecoveryCodes } from './two-factor/renew-recovery-codes.ts'
import { makeSetUp, type SetUp } from './two-factor/setup.ts'
import { makeStepUp, type StepUp } from './two-factor/step-up.ts'
import { makeTotpCodes } from './two-factor/totp-codes.ts'
import { makeVerify, type Verify } from './two-factor/verify.ts'

/** Everything the routes and guards are given. */
export interface Dependencies {
  config: Readonly<Config>
  db: Db
  clock: Clock
  passwordMin: number
  accounts: Accounts
  challenges: Challenges
  factors: Factors
  sessions: Sessions
  signingKeys: SigningKeys
  mfaTokens: MfaTokens
  accessTokens: AccessTokens
  issuer: string
  docs: boolean
  box: SecretBox
  findSignedIn: FindSignedIn
  register: Register
  login: Login
  setUp: SetUp
  verify: Verify
  confirm: Confirm
  stepUp: StepUp
  emailCodes: EmailCodes
  describeFactors: DescribeFactors
  renewRecoveryCodes: RenewRecoveryCodes
  removeFactors: RemoveFactors
  changeEmail: ChangeEmail
  changePassword: ChangePassword
  forgetPassword: ForgetPassword
  resetPassword: ResetPassword
  deleteAccount: DeleteAccount
  outbox: Outbox
  refresh: Refresh
  cleanUp: CleanUp
  describeMfaStep: DescribeMfaStep
  respondWithTokens: RespondWithTokens
}

/**
 * The composition root: the only place that knows who needs what.
 *
 * @param rootKeys what `SECRET_KEY` holds, the sealing one first.
 * @param hashThreads how many hashes may run at once, whatever the configuration says.
 * @throws {UnsealError} when the database was sealed under another `SECRET_KEY`.
 */
export async function makeDependencies({
  config,
  db,
  clock,
  logger,
  rootKeys,
  hashThreads = config.hashConcurrency,
}: {
  config: Readonly<Config>
  db: Db
  clock: Clock
  logger: FastifyBaseLogger
  rootKeys: readonly Buffer[]
  hashThreads?: number
}): Promise<Dependencies> {
  const { issuer, audience, mfaPolicy } = config
  const passwordMin = PASSWORD_MIN[mfaPolicy]
  const keyRing = makeKeyRing(rootKeys)
  const box = makeSecretBox(keyRing)
  const keyedHash = makeKeyedHash(await openHashKey({ db, box, clock }))
  const signingKeys = await openSigningKeys({
    db,
    box,
    clock,
    alg: config.jwtAlg,
    tokenTtl: config.accessTokenTtl,
  })
  const passwords = await makePasswordHasher({
    engine: await loadArgon2Engine(config.hashEngine),
    cost: config.argon2,
    queue: makeHashQueue({
      concurrency: Math.min(config.hashConcurrency, hashThreads),
      capacity: config.hashQueue,
    }),
  })

  const accounts = makeAccounts({ db, clock })
  const challenges = makeChallenges({ db, clock, ttl: config.mfaTokenTtl })
  const failureCounters = makeFailureCounters({ clock })
  const sessions = makeSessions({ db, clock, keyedHash, refreshTtl: config.refreshTokenTtl })
  const mfaTokens = makeMfaTokens({ keyRing, issuer, clock })
  const accessTokens = makeAccessTokens({ signingKeys, issuer, audience, ttl: config.accessTokenTtl, clock })
  const checkPassword = makePasswordRules({
    min: passwordMin,
    serviceNames: ['keyturn', config.appName, new URL(issuer).hostname],
  })

  const mfaRequired = mfaPolicy === 'required'
  const mailer =
    config.smtpUrl && config.mailFrom && makeMailer({ url: config.smtpUrl, from: config.mailFrom })
  const sendLetter = mailer ? makeSendLetter({ mailer, serviceName: config.appName, clock }) : null
  const outbox = mailer
    ? makeOutbox({
        db,
        clock,
        box,
        mailer,
        serviceName: config.appName,
        logger,
        answerForgotten: makeAnswerForgotten({ db, clock, keyedHash }),
      })
    : noOutbox
  const notices = makeNotices({ outbox, clock })
  const checkCredentials = makeCheckCredentials({ db, accounts, passwords, keyedHash, failureCounters })
  const totpCodes = makeTotpCodes({ box, clock })
  const recoveryCodes = makeRecoveryCodes({ keyedHash, clock })
  const emailCodes = makeEmailCodes({
    db,
    clock,
    keyedHash,
    sendLetter: config.emailCodes ? sendLetter : null,
  })
  const factors = makeFactors({ emailCodes })
  const prove = makeProve({
    accounts,
    factors,
    failureCounters,
    totpCodes,
    emailCodes,
    recoveryCodes,
    notices,
  })

  return {
    config,
    db,
    clock,
    passwordMin,
    accounts,
    challenges,
    factors,
    sessions,
    signingKeys,
    mfaTokens,
    accessTokens,
    issuer,
    docs: config.docs,
    box,
    findSignedIn: makeFindSignedIn({ sessions, accounts }),
    register: makeRegister({
      db,
      clock,
      open: config.registration === 'open',
      checkPassword,
      passwords,
      challenges,
    }),
    login: makeLogin({
      accounts,
      passwords,
      checkCredentials,
      challenges,
      factors,
      sessions,
      mfaRequired,
    }),
    setUp: makeSetUp({ db, clock, box, factors, issuer: config.appName }),
    verify: makeVerify({ db, clock, challenges, prove, sessions }),
    confirm: makeConfirm({ db, clock, prove, sessions }),
    stepUp: makeStepUp({ db, clock, prove, sessions }),
    emailCodes,
    describeFactors: makeDescribeFactors({ db, factors, totpCodes, recoveryCodes }),
    renewRecoveryCodes: makeRenewRecoveryCodes({ db, factors, recoveryCodes, notices }),
    removeFactors: makeRemoveFactors({ db, accounts, sessions, notices, mfaRequired }),
    changeEmail: makeChangeEmail({ db, clock, keyedHash, notices, sendLetter }),
    changePassword: makeChangePassword({
      db,
      clock,
      checkPassword,
      checkCredentials,
      passwords,
      challenges,
      sessions,
      notices,
    }),
    forgetPassword: makeForgetPassword({ db, outbox }),
    resetPassword: makeResetPassword({
      db,
      clock,
      keyedHash,
      checkPassword,
      passwords,
      factors,
      prove,
      challenges,
      sessions,
      notices,
    }),
    deleteAccount: makeDeleteAccount({ db, notices }),
    outbox,
    refresh: makeRefresh({
      db,
      clock,
      keyedHash,
      accounts,
      auditTrail: makeAuditTrail({ clock, logger }),
      refreshTtl: config.refreshTokenTtl,
    }),
    cleanUp: makeCleanUp({ db, clock }),
    describeMfaStep: makeDescribeMfaStep({ mfaTokens, clock }),
    respondWithTokens: makeTokenResponse({ accessTokens, clock }),
  }
}
