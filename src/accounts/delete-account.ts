import type { Notices } from '../mail/notices.ts'
import type { Db } from '../platform/database.ts'
import type { Client } from '../tokens/sessions.ts'
import type { Account } from './account.ts'
import { deleteAccount } from './store.ts'

/** Deletes an account and everything that belongs to it; its tokens are dead at once. */
export type DeleteAccount = (account: Account, client: Client) => Promise<void>

export function makeDeleteAccount({ db, notices }: { db: Db; notices: Notices }): DeleteAccount {
  return (account, client) =>
    db.transaction().execute(async (trx) => {
      if (await deleteAccount(trx, account.id)) await notices.tell(trx, account, 'account_deleted', client)
    })
}
