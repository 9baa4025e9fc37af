import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sqlitePath } from '../platform/sqlite.ts'
import type { Meters } from './meters.ts'

/** How much room there is where SQLite writes. The disk of a PostgreSQL server is watched where it is. */
export function diskMetrics({ gauge }: Meters, databaseUrl: string): void {
  if (!databaseUrl.startsWith('sqlite:')) return
  const folder = dirname(sqlitePath(databaseUrl))
  gauge('keyturn_disk_free_bytes', 'Room that is left where the SQLite file is', async (bytes) => {
    const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Number.NaN, bsize: 1 }))
    bytes.set(bavail * bsize)
  })
}
