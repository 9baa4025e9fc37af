import type { FastifyRequest } from 'fastify'
import { PASSWORD_POLICY } from '../attempts/policies.ts'
import type { Caller } from '../caller.ts'
import { credentialsTwice, invalidClient, invalidToken } from '../errors.ts'
import { callerOf } from '../http/caller.ts'
import { isSentTwice } from '../http/sent-twice.ts'
import { inTransaction } from '../platform/database.ts'
import { CLIENT_ID, type ServiceClaims } from '../tokens/access-token.ts'
import { networkOf } from '../values/network.ts'
import { isServiceClientId } from '../values/service-client-id.ts'
import { type Client, hashClientSecret } from './client.ts'
import type { ClientsRoom } from './room.ts'
import { findClientBySecret, findClientByToken, noteUse } from './store.ts'

/** The last use of a secret is written at most so often. */
const USE_MS = 60_000

/**
 * Finds the client that a request shows the secret of, and counts the request: for the client, or for the address where the
 * secret is wrong.
 *
 * @returns `null` for the client of people, which shows none.
 * @throws {AppError} invalid_client, invalid_request, rate_limited, too_many_attempts
 */
export async function authenticate(room: ClientsRoom, request: FastifyRequest): Promise<Client | null> {
  const shown = shownCredentials(request)
  if (!shown) return null
  const { clock, db, keyedHash } = room
  // One look-up by the hash of both, so that a wrong secret, an unknown and a disabled client are the same work.
  const secretHash = hashClientSecret(keyedHash, shown.id, shown.secret)
  const found = await findClientBySecret(db, secretHash)
  request.clientId = found?.client.id ?? null
  await request.countRequest?.(found ? 'client' : 'refused')
  if (!found) return refuse(room, shown, callerOf(request))
  const now = clock.now()
  const { client, lastUsedAt } = found
  if (lastUsedAt === null || Math.abs(now - lastUsedAt) >= USE_MS)
    await noteUse(db, secretHash, now, now - USE_MS)
  return client
}

/** The client password of RFC 6749 section 2.3.1, counted for the client from this network. A right one is never paused. */
const FACTOR = 'password'

async function refuse(
  { attempts, db, keyedHash, trail }: ClientsRoom,
  { id }: Credentials,
  caller: Caller,
): Promise<never> {
  const subject = keyedHash('client subject', id, networkOf(caller.ip))
  // A name of a stranger's choosing does not go into the trail.
  const facts = { account: undefined, ...(isServiceClientId(id) && { method: id }) }
  await inTransaction(db, async (trx) => {
    await attempts.begin(trx, subject, FACTOR, PASSWORD_POLICY)
    await trail.record(trx, 'client_secret_refused', facts, caller)
    if (await attempts.fail(trx, subject, FACTOR, PASSWORD_POLICY))
      await trail.record(trx, 'attempts_paused', facts, caller)
  })
  throw invalidClient('no client that is enabled has this id and secret')
}

/**
 * The client of a service token, which is dead here at once when its client is disabled or deleted.
 *
 * @throws {AppError} invalid_token
 */
export async function clientOfToken({ db }: ClientsRoom, { sub, iat }: ServiceClaims): Promise<Client> {
  const client = await findClientByToken(db, sub, iat * 1000)
  if (client) return client
  throw invalidToken('its client is disabled or gone')
}

/** What a client says it is, and the secret that it shows for it; `''` for none. */
export interface Credentials {
  id: string
  secret: string
}

/** The syntax of RFC 7617, in any case. */
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i

/**
 * The credentials of a service client: HTTP Basic, or `client_id` and `client_secret` in the body (RFC 6749 section 2.3.1).
 *
 * @returns `null` for the client of people, which shows none.
 * @throws {AppError} invalid_client, invalid_request
 */
function shownCredentials(request: FastifyRequest): Credentials | null {
  const body = (request.body ?? {}) as Record<string, unknown>
  const id = textOf(body.client_id)
  const secret = textOf(body.client_secret)
  const basic = basicOf(request)
  if (basic && (secret || (id && id !== basic.id))) throw credentialsTwice()
  const shown = basic ?? { id: id || CLIENT_ID, secret }
  return shown.id === CLIENT_ID && shown.secret === '' ? null : shown
}

const textOf = (member: unknown) => (typeof member === 'string' ? member : '')

function basicOf(request: FastifyRequest): Credentials | null {
  const { authorization } = request.headers
  if (authorization === undefined) return null
  const [, encoded] = BASIC.exec(authorization) ?? []
  if (encoded === undefined || isSentTwice(request, 'authorization'))
    throw invalidClient('the Authorization header is not Basic')
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(/:(.*)/s).map(formDecoded)
  return { id, secret }
}

/** Both are encoded as in a form. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw invalidClient('the credentials are not encoded as in a form')
  }
}
