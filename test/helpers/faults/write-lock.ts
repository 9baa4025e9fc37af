import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

const HOLD = `
  const [path, milliseconds] = process.argv.slice(1)
  const sqlite = new (require('better-sqlite3'))(path)
  sqlite.exec('begin immediate')
  process.stdout.write('held')
  setTimeout(() => { sqlite.exec('commit'); sqlite.close() }, Number(milliseconds))`

/**
 * Another process takes the write lock of a database, and keeps it for so many milliseconds after this returns.
 *
 * @returns resolves when the lock is free again.
 */
export async function holdWriteLock(
  t: Test,
  path: string,
  milliseconds: number,
): Promise<{ released: Promise<unknown>; release(): void }> {
  const child: ChildProcess = spawn('env', [
    '-u',
    'NODE_OPTIONS',
    process.execPath,
    '-e',
    HOLD,
    path,
    String(milliseconds),
  ])
  t.teardown(() => child.kill('SIGKILL'))
  const released = once(child, 'close')
  await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data'),
    released.then(([code]) => {
      throw new Error(`The lock was not taken: exit code ${code}`)
    }),
  ])
  return { released, release: () => void child.kill('SIGKILL') }
}
