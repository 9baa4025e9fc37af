import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Account } from '../accounts/account.ts'
import type { Challenge } from '../challenges/challenge.ts'
import type { Client } from '../clients/client.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { AccountClaims } from '../tokens/account-token.ts'
import type { Session } from '../tokens/session.ts'

/** Where a route is registered, which decides who may call it: with no token, or with this kind. */
export type ScopeName =
  | ('public' | 'mfa' | 'access' | 'account' | 'mfa-or-access' | 'mfa-or-account')
  | ('access-or-refresh' | 'access-or-link' | 'client-or-access')

/** Who sends a request, as a guard has established it from a token, or a client's secret. */
export type Principal = MfaPrincipal | AccessPrincipal | AccountPrincipal | ClientPrincipal

/** Has shown a password and not yet a second factor. The code that locks the account reads the rest of it. */
export interface MfaPrincipal {
  kind: 'mfa'
  account: Pick<Account, 'id'>
  challenge: Challenge
}

/** Has signed in. */
export interface AccessPrincipal {
  kind: 'access'
  account: Account
  session: Session
  claims: AccessClaims
}

/** Has shown the password and the best factor of the account a moment ago, and may change the account once. */
export interface AccountPrincipal {
  kind: 'account'
  account: Account
  session: Session
  claims: AccountClaims
}

/** Has shown its secret, or its service token. */
export interface ClientPrincipal {
  kind: 'client'
  client: Client
}

type Kind = Principal['kind']

/** Gives each request the principal that its guard has found. Routes ask the request and know no guard. */
export const principals = fp(
  async function principals(app: FastifyInstance) {
    app.decorateRequest('guarded', null)
    app.decorateRequest('principal', function principal<K extends Kind>(this: FastifyRequest, ...kinds: K[]) {
      const { guarded } = this
      if (!guarded || !(kinds as Kind[]).includes(guarded.kind))
        throw new Error(`This route is registered outside of the scope ${kinds.join('-or-')}`)
      return guarded as Extract<Principal, { kind: K }>
    })
  },
  { name: 'principals' },
)

declare module 'fastify' {
  interface FastifyRequest {
    guarded: Principal | null
    /** The principal of a route behind a guard, which is one of these kinds. */
    principal<K extends Kind>(...kinds: K[]): Extract<Principal, { kind: K }>
  }
}
