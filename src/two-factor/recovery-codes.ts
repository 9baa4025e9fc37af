import { randomBytes } from 'node:crypto'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import { recoveryCodeStock, redeemRecoveryCode, replaceRecoveryCodes } from './store.ts'

export const RECOVERY_CODE_COUNT = 10

/** From so few unused codes on, the owner is told to make new ones. */
export const LOW_STOCK = 2

/** 120 bits: above the 112 from which NIST SP 800-63B-4 section 3.1.2.2 asks for a plain hash only. */
const CODE_BYTES = 15

/** Crockford's base32: no I, L, O and U, so nothing is taken for 1, 0 or V. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Codes for the day the phone is lost: shown once, kept as hashes, each good once. */
export interface RecoveryCodes {
  /** @returns the codes in clear; all earlier codes of the account are void. */
  renew(trx: Trx, accountId: string): Promise<string[]>
  /** Whether the text is an unused code of this account; it is used from then on. */
  redeem(trx: Trx, accountId: string, text: string): Promise<boolean>
  /** How many are unused, and when they were made (epoch milliseconds). */
  stock(db: Db, accountId: string): Promise<{ remaining: number; generatedAt: number | null }>
}

export function makeRecoveryCodes({
  keyedHash,
  clock,
}: {
  keyedHash: KeyedHash
  clock: Clock
}): RecoveryCodes {
  const hash = (accountId: string, text: string) =>
    keyedHash('recovery code', accountId, normalizeRecoveryCode(text))

  return {
    async renew(trx, accountId) {
      const codes = Array.from({ length: RECOVERY_CODE_COUNT }, newRecoveryCode)
      const rows = codes.map((code) => ({ id: newId(clock), codeHash: hash(accountId, code) }))
      await replaceRecoveryCodes(trx, accountId, rows, clock.now())
      return codes
    },
    stock: recoveryCodeStock,
    redeem: (trx, accountId, text) => redeemRecoveryCode(trx, accountId, hash(accountId, text), clock.now()),
  }
}

/** 24 characters in groups of four: `7QKM-2X9T-…`. */
export function newRecoveryCode(): string {
  let bits = ''
  for (const byte of randomBytes(CODE_BYTES)) bits += byte.toString(2).padStart(8, '0')
  const characters = bits.match(/.{5}/g)?.map((five) => ALPHABET[Number.parseInt(five, 2)]) ?? []
  return characters.join('').replace(/.{4}(?=.)/g, '$&-')
}

/** Case, blanks and dashes do not matter, and what looks like another character is read as that. */
export function normalizeRecoveryCode(text: string): string {
  return text
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1')
}
