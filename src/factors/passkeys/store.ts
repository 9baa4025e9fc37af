import { accountsOf, type Db, type Trx, wroteOne } from '../../platform/database.ts'

/** A passkey of an account. Times are epoch milliseconds. */
export interface Passkey {
  id: string
  accountId: string
  credentialId: string
  publicKey: string
  rpId: string
  name: string
  transports: readonly string[]
  signCount: number
  backupEligible: boolean
  backedUp: boolean
  createdAt: number
  lastUsedAt: number | null
  removedAt: number | null
}

const select = (db: Db) => db.selectFrom('passkeys').selectAll()
type Row = Awaited<ReturnType<ReturnType<typeof select>['executeTakeFirstOrThrow']>>

const passkeyIn = (row: Row): Passkey => ({
  id: row.id,
  accountId: row.account_id,
  credentialId: row.credential_id,
  publicKey: row.public_key,
  rpId: row.rp_id,
  name: row.name,
  transports: row.transports.split(' ').filter(Boolean),
  signCount: row.sign_count,
  backupEligible: row.backup_eligible === 1,
  backedUp: row.backed_up === 1,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  removedAt: row.removed_at,
})

/** The passkey with this credential id, of whichever account; a removed one, too. */
export async function findPasskey(db: Db, credentialId: string): Promise<Passkey | undefined> {
  const row = await select(db).where('credential_id', '=', credentialId).executeTakeFirst()
  return row && passkeyIn(row)
}

/** The passkeys of an account, the oldest first. */
export async function listPasskeys(db: Db, accountId: string): Promise<Passkey[]> {
  const rows = await select(db)
    .where('account_id', '=', accountId)
    .where('removed_at', 'is', null)
    .orderBy('id')
    .execute()
  return rows.map(passkeyIn)
}

/** @returns whether no account of the service has had this credential. */
export async function insertPasskey(trx: Trx, passkey: Passkey): Promise<boolean> {
  return wroteOne(
    trx
      .insertInto('passkeys')
      .values({
        id: passkey.id,
        account_id: passkey.accountId,
        credential_id: passkey.credentialId,
        public_key: passkey.publicKey,
        rp_id: passkey.rpId,
        name: passkey.name,
        transports: passkey.transports.join(' '),
        sign_count: passkey.signCount,
        backup_eligible: Number(passkey.backupEligible),
        backed_up: Number(passkey.backedUp),
        created_at: passkey.createdAt,
        last_used_at: passkey.lastUsedAt,
        removed_at: passkey.removedAt,
      })
      .onConflict((conflict) => conflict.column('credential_id').doNothing()),
  )
}

/**
 * Writes down that a passkey was used.
 *
 * @returns whether it was still there, and its counter went up if it counts: zero says that there is none, and one that is
 * copied among devices cannot (WebAuthn Level 3 section 6.1.1).
 */
export async function usePasskey(
  trx: Trx,
  {
    id,
    signCount,
    backedUp,
    backupEligible,
  }: Pick<Passkey, 'id' | 'signCount' | 'backedUp' | 'backupEligible'>,
  now: number,
): Promise<boolean> {
  return wroteOne(
    trx
      .updateTable('passkeys')
      .set({ sign_count: signCount, backed_up: Number(backedUp), last_used_at: now })
      .where('id', '=', id)
      .where('removed_at', 'is', null)
      .$if(!backupEligible, (query) => query.where('sign_count', signCount === 0 ? '=' : '<', signCount)),
  )
}

export async function renamePasskey(trx: Trx, accountId: string, id: string, name: string): Promise<void> {
  await trx
    .updateTable('passkeys')
    .set({ name })
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .execute()
}

/** @param id of one of them; all of the account without it. */
export async function removePasskeys(trx: Trx, accountId: string, now: number, id?: string): Promise<void> {
  await trx
    .updateTable('passkeys')
    .set({ removed_at: now })
    .where('account_id', '=', accountId)
    .where('removed_at', 'is', null)
    .$if(id !== undefined, (query) => query.where('id', '=', id as string))
    .execute()
}

/** @returns whether this call was the one that spent the challenge. */
export async function spendChallenge(
  trx: Trx,
  spent: { challenge: string; accountId: string; expiresAt: number },
): Promise<boolean> {
  return wroteOne(
    trx
      .insertInto('spent_passkey_challenges')
      .values({ challenge: spent.challenge, account_id: spent.accountId, expires_at: spent.expiresAt })
      .onConflict((conflict) => conflict.column('challenge').doNothing()),
  )
}

/** Which of these accounts have a passkey. */
export async function passkeysAmong(db: Db, accountIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (accountIds.length === 0) return new Set()
  const passkeys = db.selectFrom('passkeys').select('account_id').distinct().where('removed_at', 'is', null)
  return accountsOf(passkeys.where('account_id', 'in', accountIds))
}

/** A relying party, other than this one, that passkeys of this database were made for. */
export async function findForeignRpId(db: Db, rpId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('passkeys')
    .select('rp_id')
    .where('rp_id', '!=', rpId)
    .where('removed_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row?.rp_id
}
