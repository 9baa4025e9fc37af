import type { Trx } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'

interface OwnNetwork {
  subject: string
  accountId: string
  now: number
}

const signedIn = prepared((db, param: Params<OwnNetwork>) =>
  db
    .insertInto('own_networks')
    .values({ subject: param('subject'), account_id: param('accountId'), signed_in_at: param('now') })
    .onConflict((conflict) => conflict.column('subject').doUpdateSet({ signed_in_at: param('now') })),
)

export async function addOwnNetwork(trx: Trx, network: OwnNetwork): Promise<void> {
  await signedIn.run(trx, network)
}

export async function forgetOwnNetworks(trx: Trx, accountId: string, keptSubject: string): Promise<void> {
  await trx
    .deleteFrom('own_networks')
    .where('account_id', '=', accountId)
    .where('subject', '!=', keptSubject)
    .execute()
}
