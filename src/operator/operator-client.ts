import { userInfo } from 'node:os'
import type { Client } from '../tokens/sessions.ts'

/** Who acts by the command line: the audit trail keeps the name of their login on this machine. */
export function operatorClient(): Client {
  return {
    ip: '',
    userAgent: `keyturn (${process.env.SUDO_USER ?? loginName()})`,
    requestId: crypto.randomUUID(),
    operator: true,
  }
}

/** A container may run as a user that its system has no name for. */
function loginName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}`
  }
}
