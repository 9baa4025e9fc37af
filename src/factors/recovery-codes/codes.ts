import { newLetterCode, normalizeLetterCode } from '../../crypto/codes.ts'
import type { Trx } from '../../platform/database.ts'
import { newId } from '../../platform/ids.ts'
import type { FactorsRoom } from '../room.ts'
import { replaceRecoveryCodes } from './store.ts'

const RECOVERY_CODE_COUNT = 10

/** 120 bits: above the 112 from which NIST SP 800-63B-4 section 3.1.2.2 accepts a plain hash. */
const CHARACTERS = 24

/**
 * Makes new recovery codes for an account. They are shown once and stored as hashes, and each works once.
 *
 * @returns the codes in clear; all earlier codes of the account are void.
 */
export async function renewCodes(
  { clock, keyedHash }: Pick<FactorsRoom, 'clock' | 'keyedHash'>,
  trx: Trx,
  accountId: string,
): Promise<string[]> {
  const codes = Array.from({ length: RECOVERY_CODE_COUNT }, () => newLetterCode(CHARACTERS))
  const rows = codes.map((code) => ({ id: newId(clock), codeHash: hashCode(keyedHash, accountId, code) }))
  await replaceRecoveryCodes(trx, accountId, rows, clock.now())
  return codes
}

export function hashCode(keyedHash: FactorsRoom['keyedHash'], accountId: string, text: string): string {
  return keyedHash('recovery code', accountId, normalizeLetterCode(text))
}
