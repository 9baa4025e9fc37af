import type { FastifyRequest } from 'fastify'
import type { Account } from '../accounts/account.ts'
import type { Challenge } from '../sign-in/challenges.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { Session } from '../tokens/sessions.ts'

/** Who asks, as a guard has established it from the bearer token. */
export type Principal = MfaPrincipal | AccessPrincipal

/** Has shown a password, and owes a second factor. */
export interface MfaPrincipal {
  kind: 'mfa'
  account: Account
  challenge: Challenge
}

/** Has signed in. */
export interface AccessPrincipal {
  kind: 'access'
  account: Account
  session: Session
  claims: AccessClaims
}

/** The principal of a route behind any guard. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Error('This route is registered outside of the guarded scopes')
  return request.principal
}

export function mfaPrincipalOf(request: FastifyRequest): MfaPrincipal {
  const principal = principalOf(request)
  if (principal.kind !== 'mfa') throw new Error('This route is registered outside of the mfa scope')
  return principal
}

export function accessPrincipalOf(request: FastifyRequest): AccessPrincipal {
  const principal = principalOf(request)
  if (principal.kind !== 'access') throw new Error('This route is registered outside of the access scope')
  return principal
}
