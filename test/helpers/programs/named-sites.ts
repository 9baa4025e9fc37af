import { once } from 'node:events'
import { connect } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import type { Browser } from 'playwright-core'
import type { Test } from 'tap'
import { makeCertificates, openssl } from '../faults/certificates.ts'
import { browserMissing, launchBrowser } from './browser.ts'

/** Why no browser can go to sites by https and by name here; `false` where it can. */
export const namedSitesMissing =
  browserMissing || (openssl ? false : 'NOT TESTED: no openssl (Debian: openssl)')

/** Sites by https and by name, on this machine, and a browser that finds them. */
export interface NamedSites {
  browser: Browser
  /** `https://a.test` is what listens at this port of 127.0.0.1. Each test says it for itself. */
  ports: Readonly<Record<string, number>>
}

/** For names that end in `.test`. */
export async function openNamedSites(t: Test): Promise<NamedSites> {
  const sites: Pick<NamedSites, 'ports'> = { ports: {} }
  const sockets = new Set<TLSSocket>()
  const front = createServer(makeCertificates(t).selfSigned, (socket) => {
    sockets.add(socket)
    const site = connect(sites.ports[String(socket.servername)] ?? 0, '127.0.0.1')
    socket.pipe(site).pipe(socket)
    for (const [one, other] of [
      [socket, site],
      [site, socket],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.teardown(async () => {
    front.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = front.address() as { port: number }
  const browser = await launchBrowser(t, [
    `--host-resolver-rules=MAP *.test:443 127.0.0.1:${port}`,
    '--ignore-certificate-errors',
  ])
  return Object.assign(sites, { browser })
}
