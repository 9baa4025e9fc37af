import { type ListedAccount, listAccountsById } from '../accounts/list-accounts.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import { owingAmong } from '../factors/enrolment-code.ts'
import type { Factor } from '../factors/factor.ts'
import { factors as registry } from '../factors/registry.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { rolesIn } from '../values/roles.ts'
import type { FieldName } from './import/record.ts'

const PAGE_SIZE = 500

/** Secrets that are written in addition to what an operator can see anyway. */
export interface Secrets {
  passwordHashes: boolean
  /** The factors whose secrets are written. */
  factors: readonly Factor[]
}

/** The box is asked for where a secret is opened: all else needs no right `SECRET_KEY`. */
export interface ExportSource {
  db: Db
  openBox(): Promise<SecretBox>
}

/** The members of one line, under the names that an import reads. */
export type ExportedAccount = Partial<Record<FieldName, string | boolean | null | string[]>>

/**
 * Every account, oldest first, a page at a time.
 *
 * @throws {UnsealError} when a secret opens under none of the keys.
 */
export async function* exportAccounts(
  source: ExportSource,
  secrets: Secrets,
): AsyncGenerator<ExportedAccount[]> {
  for (let after = ''; ; ) {
    const page = await listAccountsById(source.db, after, PAGE_SIZE)
    const last = page.at(-1)
    if (!last) return
    yield withSecrets(source, page, secrets)
    after = last.id
  }
}

async function withSecrets(
  source: ExportSource,
  page: readonly ListedAccount[],
  { passwordHashes, factors }: Secrets,
): Promise<ExportedAccount[]> {
  const ids = page.map(({ id }) => id)
  const owing = await owingAmong(source.db, ids)
  const exported: ExportedAccount[] = page.map((row) => ({
    id: row.id,
    username: row.username,
    email: row.email,
    email_verified: row.email_verified_at !== null,
    disabled: row.disabled_at !== null,
    created_at: rfc3339(row.created_at),
    roles: rolesIn(row.roles),
    ...(passwordHashes && { password_hash: row.password_hash }),
  }))
  const fields = factors.map(({ portable }) => Object.keys(portable?.fields ?? {})[0] ?? '')
  for (const [index, { portable }] of factors.entries()) {
    const field = fields[index] as string
    const values = await portable?.export({ db: source.db, box: await source.openBox() }, ids)
    for (const account of exported) account[field] = values?.get(String(account.id)) ?? null
  }
  // Whose passkeys stay behind, and come with no other factor: else the password alone would enrol one there.
  const phishingResistant = registry.filter((factor) => factor.phishingResistant)
  const active = await Promise.all(phishingResistant.map(({ activeAmong }) => activeAmong(source.db, ids)))
  for (const account of exported) {
    const id = String(account.id)
    const bereft = active.some((among) => among.has(id)) && !fields.some((field) => account[field])
    if (owing.has(id) || bereft) account.enrolment_code_required = true
  }
  return exported
}
