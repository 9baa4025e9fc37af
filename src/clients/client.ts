/** The one scope that a service client can have: to ask about tokens of its audience. */
export const INTROSPECT = 'introspect'

/** A service that signs in with a secret of its own. It is no account, and has no session. */
export interface Client {
  id: string
  name: string
  /** Whose tokens it may look at. */
  audiences: readonly string[]
  /** What it may do here. */
  scopes: readonly string[]
}
