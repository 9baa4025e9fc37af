import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDaemon } from './daemon.ts'
import { freePort, listens } from './free-port.ts'
import { unprivileged } from './postgres.ts'
import type { Lifetime } from './process.ts'
import { which } from './which.ts'

// Among root's programs, which a plain user's PATH does not have.
const program = which('pgbouncer') ?? ['/usr/sbin/pgbouncer'].find(existsSync)

/** Why the tests with PgBouncer are skipped, `false` where they run. */
export const pgbouncerMissing = program ? false : 'NOT TESTED: no pgbouncer (Debian: pgbouncer)'

/**
 * A real PgBouncer before a server, with its defaults but for the mode.
 *
 * @param databaseUrl with the folder of a Unix socket as its host.
 * @returns the URL of the same database through it.
 */
export async function startPgbouncer(
  t: Lifetime,
  databaseUrl: string,
  mode: 'session' | 'transaction',
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-pgbouncer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  const url = new URL(databaseUrl)
  const user = unprivileged()
  const lines = [
    '[databases]',
    `* = host=${url.searchParams.get('host')} user=${url.username}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
    ...(user ? ['user = nobody'] : []),
  ]
  writeFileSync(file, lines.join('\n'))
  if (user) for (const path of [folder, file]) chownSync(path, user.uid, user.gid)
  await startDaemon(t, [program ?? '', file], () => listens(port))
  url.searchParams.delete('host')
  url.host = `127.0.0.1:${port}`
  return url.href
}
