import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDaemon } from './daemon.ts'
import { freePort, listens } from './free-port.ts'
import type { Lifetime } from './process.ts'
import { which } from './which.ts'

// Beside root's programs, which a plain user's PATH does not have.
const program = which('nginx') ?? ['/usr/sbin/nginx'].find(existsSync)

/** Why the tests with nginx are skipped, `false` where they run. */
export const nginxMissing = program ? false : 'NOT TESTED: no nginx (Debian: nginx)'

const CONFIGURATION = new URL('../../../deploy/scale/nginx.conf', import.meta.url)

/** The nginx.conf of docker-compose.yml, with places of this machine in the place of its own. @returns its URL. */
export async function startNginx(t: Lifetime, replicaPorts: readonly string[]): Promise<string> {
  return (await startLoggingNginx(t, replicaPorts)).url
}

/** The same, with what it has logged of its own answers so far. */
export async function startLoggingNginx(t: Lifetime, replicaPorts: readonly string[]) {
  const text = readFileSync(CONFIGURATION, 'utf8')
  return run(t, (folder, port) => adapted(text, { folder, port, replicaPorts }))
}

/** One with these `location` blocks, which name a port 3000 for the service. @returns its URL. */
export async function startNginxWith(t: Lifetime, locations: string, servicePort: string): Promise<string> {
  const paths = (folder: string) =>
    ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
  const { url } = await run(
    t,
    (
      folder,
      port,
    ) => `daemon off; pid ${folder}/pid; events {} http { access_log off; ${paths(folder).join(' ')}
      server { listen 127.0.0.1:${port}; ${locations.replaceAll(':3000', `:${servicePort}`)} } }`,
  )
  return url
}

async function run(t: Lifetime, configuration: (folder: string, port: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-nginx-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const port = String(await freePort())
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, port))

  const command = [program ?? '', '-e', 'stderr', '-c', file, '-p', folder]
  await startDaemon(t, command, () => listens(Number(port)))
  return { url: `http://127.0.0.1:${port}`, log: () => readFileSync(join(folder, 'access.log'), 'utf8') }
}

interface Places {
  folder: string
  port: string
  replicaPorts: readonly string[]
}

function adapted(text: string, { folder, port, replicaPorts }: Places): string {
  const replaced = (pattern: RegExp, replacement: (found: string, first: string) => string) => {
    if (text.search(pattern) < 0) throw new Error(`There is no ${pattern} in nginx.conf`)
    text = text.replace(pattern, replacement)
  }
  replaced(/\/tmp\//g, () => `${folder}/`)
  // A socket, as standard error is one here, cannot be opened again.
  replaced(/\/dev\/stderr/, () => `${folder}/access.log`)
  replaced(/listen 8080;/, () => `listen 127.0.0.1:${port};`)
  replaced(/server replica-(\d):3000 .*/g, (line, number) => {
    const replicaPort = replicaPorts[Number(number) - 1]
    return replicaPort ? line.replace(/replica-\d:3000/, `127.0.0.1:${replicaPort}`) : ''
  })
  return text
}
