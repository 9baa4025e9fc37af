import type { AccessPrincipal, AccountPrincipal, MfaPrincipal } from '../api/principal.ts'
import type { Binding } from './factor.ts'

/** The sign-in or the session that begins something: the id of its challenge, or of the session. */
export function askerId(asking: MfaPrincipal | AccessPrincipal | AccountPrincipal): string {
  return asking.kind === 'mfa' ? asking.challenge.id : asking.session.id
}

/** The same of an answer, which finishes it; `undefined` where it comes with neither. */
export function answererId(binding: Binding): string | undefined {
  if (binding.to === 'challenge') return binding.challenge.id
  return binding.to === 'session' ? binding.session.id : undefined
}
