import { randomBytes } from 'node:crypto'
import { CLOCK_SKEW_SECONDS } from '../../platform/clock.ts'
import type { FactorParts } from '../parts.ts'

/** What a challenge may be answered for, and nothing else. */
export interface Question {
  /** `sign-in` is by the passkey alone: no account is named yet. */
  purpose: 'create' | 'verify' | 'sign-in'
  accountId: string
  /** The challenge of the mfa token, or the session. */
  boundTo: string
}

/** To a sign-in by a passkey alone. */
export const ANYBODY: Question = { purpose: 'sign-in', accountId: '', boundTo: '' }

/** How long a challenge can be answered, in seconds: a form with autofill waits for its reader. */
export const CHALLENGE_TTL = { create: 300, verify: 300, 'sign-in': 600 }

const NONCE_BYTES = 16
const HEAD_BYTES = NONCE_BYTES + 6

type Parts = Pick<FactorParts, 'clock' | 'keyedHash'>

/**
 * Makes a challenge (WebAuthn Level 3 section 13.4.3): a random number, when it expires, and a keyed hash of both with
 * the question. It needs no row before it is answered, so asking costs nothing.
 */
export function newChallenge({ clock, keyedHash }: Parts, question: Question): string {
  const head = Buffer.alloc(HEAD_BYTES, randomBytes(NONCE_BYTES))
  head.writeUIntBE(clock.now() + CHALLENGE_TTL[question.purpose] * 1000, NONCE_BYTES, 6)
  return sealed(keyedHash, head, question)
}

/** @returns when the challenge expires, in epoch milliseconds; `undefined` for one that answers no such question now. */
export function expiryOf(
  { clock, keyedHash }: Parts,
  challenge: string,
  question: Question,
): number | undefined {
  const head = Buffer.from(challenge, 'base64url').subarray(0, HEAD_BYTES)
  if (head.length < HEAD_BYTES || sealed(keyedHash, head, question) !== challenge) return undefined
  const expiresAt = head.readUIntBE(NONCE_BYTES, 6)
  const left = expiresAt - clock.now()
  // One that lasts longer was made by a clock that was ahead.
  return left > 0 && left <= (CHALLENGE_TTL[question.purpose] + CLOCK_SKEW_SECONDS) * 1000
    ? expiresAt
    : undefined
}

function sealed(
  keyedHash: Parts['keyedHash'],
  head: Buffer,
  { purpose, accountId, boundTo }: Question,
): string {
  const hash = keyedHash('passkey challenge', head.toString('base64url'), purpose, accountId, boundTo)
  return Buffer.concat([head, Buffer.from(hash, 'base64url')]).toString('base64url')
}
