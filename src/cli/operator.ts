import { userInfo } from 'node:os'
import type { Caller } from '../caller.ts'

/** The operator at the command line. The audit trail records the name of their login on this machine. */
export function operatorCaller(): Caller {
  return {
    by: 'operator',
    ip: '',
    userAgent: `keyturn (${process.env.SUDO_USER ?? loginName()})`,
    requestId: crypto.randomUUID(),
  }
}

/** A container may run as a user without a name. */
function loginName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}`
  }
}
