import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { OwnNetworks } from '../attempts/own-networks.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Caller } from '../caller.ts'
import { newOpaqueToken } from '../crypto/codes.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { invalidToken, tooManyStepUps } from '../errors.ts'
import { inBatches } from '../platform/batches.ts'
import { type Clock, DAY_MS } from '../platform/clock.ts'
import { type Db, inTransaction, type Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import { together } from '../platform/together.ts'
import type { Proof } from './assurance.ts'
import { deleteDeadSessions, endSomeSessions, endSurplusSessions } from './many-sessions.ts'
import { newRefreshToken } from './refresh-token-store.ts'
import type { Grant, Session, SignedIn } from './session.ts'
import type { SigningKeys } from './signing-keys.ts'
import {
  type AfterSession,
  countStepUp,
  endAllSessions,
  endOtherSessions,
  endSession,
  findLiveSession,
  forgetPassword,
  insertSession,
  listLiveSessions,
  proveSession,
  uncountStepUp,
} from './store.ts'

/** The absolute life of a session, in lifetimes of a refresh token: it ends then however often it is refreshed. */
export const ABSOLUTE_LIFETIMES = 3

/** The number of wrong step-ups in a row after which a session can have no more of them. */
const MAX_STEP_UPS = 5

export type Sessions = ReturnType<typeof makeSessions>

interface Parts {
  accounts: Accounts
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  trail: AuditTrail
  ownNetworks: OwnNetworks
  signingKeys: Pick<SigningKeys, 'current'>
  /** The life of an unused refresh token in seconds. */
  refreshTtl: number
  /** Live sessions of one account. */
  maxSessions: number
}

export function makeSessions(parts: Parts) {
  const { accounts, db, clock, keyedHash, trail, ownNetworks, signingKeys, refreshTtl, maxSessions } = parts
  const idleMs = refreshTtl * 1000

  /** @returns how many have ended. */
  async function makeRoom(
    trx: Trx,
    account: Account,
    { allowed, keptId }: { allowed: number; keptId: string },
    caller: Caller,
  ): Promise<number> {
    const ended = await endSurplusSessions(trx, account.id, { allowed, keptId, now: clock.now() })
    const [sessionId, ...others] = ended
    // Of more than one, which only a lower limit than before can bring about, one event tells for all.
    if (sessionId !== undefined)
      await trail.record(
        trx,
        'session_displaced',
        { account, ...(others.length === 0 && { sessionId }) },
        caller,
      )
    return ended.length
  }

  /** The caller records that it has started. */
  async function begin(
    trx: Trx,
    account: Account,
    { amr, acr, authTime, passwordAt, factorAt, factorSince }: Proof,
    caller: Caller,
  ): Promise<Grant> {
    // Its tokens are signed after the commit. Where no key can sign, what this transaction uses up would be lost.
    signingKeys.current()
    const now = clock.now()
    const session: Session = {
      id: newId(clock),
      accountId: account.id,
      ...{ amr, acr, authTime, passwordAt, factorAt, factorSince },
      createdAt: now,
      lastUsedAt: now,
      idleExpiresAt: now + idleMs,
      expiresAt: now + ABSOLUTE_LIFETIMES * idleMs,
      refreshRepeatedAt: null,
      ip: caller.ip,
      userAgent: caller.userAgent,
      refreshesSince: 0,
      refreshes: 0,
    }
    const refreshToken = { token: newOpaqueToken(), expiresAt: session.idleExpiresAt }
    if (await insertSession(trx, session, maxSessions))
      await makeRoom(trx, account, { allowed: maxSessions - 1, keptId: session.id }, caller)
    await accounts.keep(trx, account)
    await newRefreshToken.run(trx, {
      tokenHash: keyedHash('refresh token', refreshToken.token),
      sessionId: session.id,
      createdAt: now,
      expiresAt: refreshToken.expiresAt,
    })
    return { account, session, refreshToken }
  }

  const recordStart = (trx: Trx, { account, session }: Grant, caller: Caller) =>
    trail.record(trx, 'session_started', { account, sessionId: session.id }, caller)

  /** The first network of an account is no news, and a day has one mail of it. */
  async function noteNewNetwork(trx: Trx, account: Account, caller: Caller): Promise<void> {
    const { newNetworkAt } = account
    const now = clock.now()
    if (newNetworkAt === null) return accounts.noteNewNetwork(trx, account, 0)
    // It was told long after now where a clock was ahead.
    const untold = Math.abs(now - newNetworkAt) < DAY_MS
    await trail.record(trx, 'new_network', { account, untold }, caller)
    if (!untold) await accounts.noteNewNetwork(trx, account, now)
  }

  const sessions = {
    /**
     * Opens a session with its first refresh token, of which only the hash is stored. Where the account has too many then,
     * the one unused longest ends. This is a full sign-in: its network is the account's own from now on.
     */
    async open(trx: Trx, account: Account, shown: Proof, caller: Caller): Promise<Grant> {
      const [isNew, grant] = await together(
        ownNetworks.add(trx, account, caller),
        begin(trx, account, shown, caller),
      )
      if (isNew) await noteNewNetwork(trx, account, caller)
      await recordStart(trx, grant, caller)
      return grant
    },

    /**
     * Ends every session of the account, and opens one that has shown this: for the person who has replaced or
     * removed a credential. No older token of the account lives on here.
     */
    async startOver(trx: Trx, account: Account, shown: Proof, caller: Caller): Promise<Grant> {
      await sessions.endAll(trx, account.id)
      await trail.record(trx, 'all_sessions_ended', { account }, caller)
      const grant = await begin(trx, account, shown, caller)
      await recordStart(trx, grant, caller)
      return grant
    },

    /** The session, if it is live. */
    find: (db: Db, id: string): Promise<Session | undefined> => findLiveSession(db, id, clock.now()),
    /** The live sessions of an account, the last used one first. */
    list: (accountId: string, page?: { after?: AfterSession; limit: number }): Promise<Session[]> =>
      listLiveSessions(db, accountId, clock.now(), page),

    /**
     * Counts an attempt at a step-up before it is looked at.
     *
     * @throws {AppError} too_many_attempts after five in a row that were wrong.
     */
    async countStepUp(trx: Trx, { id }: Session): Promise<void> {
      if (!(await countStepUp(trx, id, MAX_STEP_UPS))) throw tooManyStepUps()
    },
    /** An attempt at a step-up was not looked at after all. */
    uncountStepUp: (trx: Trx, { id }: Session): Promise<void> => uncountStepUp(trx, id),
    /** Whatever follows in this session has to show the password again. */
    forgetPassword: (trx: Trx, { id }: Session): Promise<void> => forgetPassword(trx, id),
    /**
     * Records what was shown in a step-up.
     *
     * @throws {AppError} invalid_token when the session has ended meanwhile.
     */
    async prove(
      trx: Trx,
      session: Session,
      { amr, acr, authTime, passwordAt, factorAt, factorSince }: Proof,
    ): Promise<Session> {
      const proven = { ...session, amr, acr, authTime, passwordAt, factorAt, factorSince }
      if (!(await proveSession(trx, proven))) throw invalidToken('the session has ended', 'ended')
      return proven
    },

    /** @returns whether the account had such a live session. */
    async end(trx: Trx, account: Account, id: string, caller: Caller): Promise<boolean> {
      const ended = await endSession(trx, id, account.id, clock.now())
      if (ended) await trail.record(trx, 'session_ended', { account, sessionId: id }, caller)
      return ended
    },
    /** Ends every session of the account except this one. */
    async endOthers(trx: Trx, { account, session }: SignedIn, caller: Caller): Promise<void> {
      if (await endOtherSessions(trx, account.id, session.id, clock.now()))
        await trail.record(trx, 'other_sessions_ended', { account, sessionId: session.id }, caller)
    },
    endAll: (trx: Trx, accountId: string): Promise<void> => endAllSessions(trx, accountId, clock.now()),
    /** Ends every session of every account, in batches. @returns how many there were. */
    endEvery(): Promise<number> {
      const begunUntil = clock.now()
      return inBatches(() => endSomeSessions(db, clock.now(), begunUntil))
    },
    /**
     * Ends the sessions that an account has beyond the limit, in batches: an earlier version or a higher limit has left them.
     * It comes before a transaction that ends them all, which then has few to end.
     *
     * @param keptId the session that stays whenever it was used.
     */
    async endSurplus(account: Account, caller: Caller, keptId = ''): Promise<void> {
      await inBatches(() =>
        inTransaction(db, async (trx) =>
          (await accounts.lock(trx, account.id))
            ? makeRoom(trx, account, { allowed: maxSessions, keptId }, caller)
            : 0,
        ),
      )
    },
    /** Deletes ended sessions and used refresh tokens, in batches. */
    deleteDead: (accountId: string): Promise<void> => deleteDeadSessions(db, accountId, clock.now),
  }
  return sessions
}
