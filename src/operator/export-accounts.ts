import type { Dependencies } from '../dependencies.ts'
import { rfc3339 } from '../platform/clock.ts'
import { base32 } from '../two-factor/key-uri.ts'
import { totpSecretContext } from '../two-factor/setup.ts'
import type { FieldName } from './import/record.ts'
import { type ExportedRow, listForExport } from './store.ts'

const PAGE_SIZE = 500

/** What is written beside what everybody may know who looks after accounts. */
export interface Secrets {
  passwordHashes: boolean
  totpSecrets: boolean
}

/** The members of one line, under the names that an import reads. */
export type ExportedAccount = Partial<Record<FieldName, string | boolean | null>>

/**
 * Every account, oldest first, a page at a time.
 *
 * @throws {UnsealError} when a secret opens under none of the keys.
 */
export async function* exportAccounts(
  { db, box }: Pick<Dependencies, 'db' | 'box'>,
  secrets: Secrets,
): AsyncGenerator<ExportedAccount[]> {
  const secretOf = ({ id, factor_id, sealed_secret }: ExportedRow) =>
    factor_id && sealed_secret ? base32(box.open(sealed_secret, totpSecretContext(id, factor_id))) : null

  for (let after = ''; ; ) {
    const page = await listForExport(db, after, PAGE_SIZE)
    const last = page.at(-1)
    if (!last) return
    yield page.map((row) => ({
      id: row.id,
      username: row.username,
      email: row.email,
      email_verified: row.email_verified_at !== null,
      disabled: row.disabled_at !== null,
      created_at: rfc3339(row.created_at),
      ...(secrets.passwordHashes && { password_hash: row.password_hash }),
      ...(secrets.totpSecrets && { totp_secret: secretOf(row) }),
    }))
    after = last.id
  }
}
