import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Account } from '../../../src/accounts/account.ts'
import type { AccessPrincipal, AccountPrincipal, MfaPrincipal } from '../../../src/api/principal.ts'
import type { Caller } from '../../../src/caller.ts'
import { AppError, notEnrolled } from '../../../src/errors.ts'
import { enrollingAccount } from '../../../src/factors/enrolling-account.ts'
import type { Binding, RefusedAnswer } from '../../../src/factors/factor.ts'
import type { FactorParts } from '../../../src/factors/parts.ts'
import type { FactorsRoom } from '../../../src/factors/room.ts'
import { inTransaction, type Trx } from '../../../src/platform/database.ts'
import { newId } from '../../../src/platform/ids.ts'
import { stillSignedIn } from '../../../src/tokens/signed-in.ts'
import { activeKeys, findKey, insertChallenge, insertPendingKey } from './store.ts'
import { keyContext } from './tables.ts'

const PENDING_SECONDS = 600
export const CHALLENGE_SECONDS = 120

export interface HandshakeAnswer {
  method: 'handshake'
  response: { key_id: string; challenge: string; signature: string }
  [member: string]: unknown
}

/** What came of an answer before its transaction. */
export type Checked = { boundTo: string } | { refused: 'binding' | 'key' | 'signature' }

export function sign(key: Buffer, challenge: string): string {
  return createHmac('sha256', key).update(challenge).digest('base64url')
}

type Asking = MfaPrincipal | AccessPrincipal | AccountPrincipal

/** Makes a pending key and the challenge that it has to sign. */
export async function begin(
  room: FactorsRoom,
  principal: MfaPrincipal | AccountPrincipal,
  caller: Caller,
): Promise<{ id: string; key: Buffer; challenge: string }> {
  const { box, clock, db, trail } = room
  const [id, key] = [newId(clock), randomBytes(32)]
  const challenge = await inTransaction(db, async (trx) => {
    const account = await enrollingAccount(room, trx, principal)
    await insertPendingKey(trx, {
      id,
      accountId: account.id,
      sealedKey: box.seal(key, keyContext(account.id, id)),
      expiresAt: clock.now() + PENDING_SECONDS * 1000,
    })
    await trail.record(trx, 'factor_pending', { account, method: 'handshake' }, caller)
    return newChallenge(room, trx, account, principal)
  })
  return { id, key, challenge }
}

/** Makes a challenge for the active keys of an account. */
export async function challengeKeys(
  room: FactorsRoom,
  principal: MfaPrincipal | AccessPrincipal,
): Promise<string> {
  return inTransaction(room.db, async (trx) => {
    const account = isMfa(principal)
      ? await room.accounts.present(trx, principal.account.id)
      : (await stillSignedIn(room, trx, principal)).account
    if ((await activeKeys(trx, account.id)).length === 0) throw notEnrolled()
    return newChallenge(room, trx, account, principal)
  })
}

async function newChallenge(
  { clock }: FactorsRoom,
  trx: Trx,
  account: Account,
  principal: Asking,
): Promise<string> {
  const challenge = randomBytes(16).toString('base64url')
  await insertChallenge(trx, {
    challenge,
    accountId: account.id,
    boundTo: isMfa(principal) ? principal.challenge.id : principal.session.id,
    expiresAt: clock.now() + CHALLENGE_SECONDS * 1000,
  })
  return challenge
}

const isMfa = (principal: Asking): principal is MfaPrincipal => principal.kind === 'mfa'

/** Checks the signature. Whether its challenge is still good is for the transaction. */
export async function check(
  { box, db }: Pick<FactorParts, 'box' | 'db'>,
  { id: accountId }: Account,
  { response }: HandshakeAnswer,
  binding: Binding,
): Promise<Checked> {
  if (binding.to !== 'challenge' && binding.to !== 'session') return { refused: 'binding' }
  const key = await findKey(db, accountId, response.key_id)
  if (!key) return { refused: 'key' }
  const expected = Buffer.from(
    sign(box.open(key.sealedKey, keyContext(accountId, key.id)), response.challenge),
  )
  const given = Buffer.from(response.signature)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { refused: 'signature' }
  return { boundTo: binding.to === 'challenge' ? binding.challenge.id : binding.session.id }
}

/** A signature that was right was of a challenge that is used, expired or another token's. */
export function refused(checked: Checked, { serverTime, attemptsLeft }: RefusedAnswer): AppError {
  const reason = 'refused' in checked ? checked.refused : 'challenge'
  const attempts = attemptsLeft === undefined ? {} : { attempts_left: attemptsLeft }
  return new AppError('invalid_code', `The handshake was refused for its ${reason}.`, {
    extras: { ...attempts, server_time: serverTime },
  })
}
