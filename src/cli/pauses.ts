import type { Account } from '../accounts/account.ts'
import { anywhere, from } from '../attempts/subjects.ts'
import { listPausedAccounts } from '../audit/list-events.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Service } from '../service.ts'
import { listPausedFrom, pausedSince } from '../sign-in/unlock.ts'
import { networkOf } from '../values/network.ts'

/** A pause that is on. */
export interface Pause {
  /** What was guessed at: the password, or a factor. */
  of: string
  /** Where it holds, for a password: in one network, or in all networks that are not the account's own. */
  network?: string
  until: string
}

const OTHERS = 'all but its own'

export async function pausesOf(service: Service, account: Account): Promise<Pause[]> {
  const { attempts, db, keyedHash } = service
  const { id, username } = account
  const networks = new Map(
    (await listPausedFrom(service, db, account)).map((ip) => [networkOf(ip), from(keyedHash, username, ip)]),
  )
  const places = [[OTHERS, anywhere(keyedHash, username)] as const, ...networks, [undefined, id] as const]
  const pauses: Pause[] = []
  for (const [network, subject] of places)
    for (const { factor, until } of await attempts.pauses(db, subject))
      pauses.push({ of: factor, ...(network && { network }), until: rfc3339(until) })
  return pauses
}

/** The accounts that are paused somewhere, from the events of the longest pause there is. */
export async function pausedAccounts(service: Service): Promise<{ account: Account; pauses: Pause[] }[]> {
  const { accounts, clock, db } = service
  const paused = []
  for (const id of await listPausedAccounts(db, pausedSince(clock))) {
    const account = await accounts.byId(id)
    const pauses = account ? await pausesOf(service, account) : []
    if (account && pauses.length > 0) paused.push({ account, pauses })
  }
  return paused
}

export function inWords({ of, network, until }: Pause): string {
  return `${of}${network ? ` from ${network}` : ''} until ${until}`
}
