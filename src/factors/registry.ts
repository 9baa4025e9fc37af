import type { Factor } from './factor.ts'
import { mailedCodes } from './mailed-codes/factor.ts'
import { passkeys } from './passkeys/factor.ts'
import { recoveryCodes } from './recovery-codes/factor.ts'
import { totp } from './totp/factor.ts'

/** All second factors, in the order in which they are offered. */
export const factors: readonly Factor[] = [passkeys, totp, mailedCodes, recoveryCodes]
