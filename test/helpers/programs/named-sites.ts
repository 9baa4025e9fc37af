import { once } from 'node:events'
import { connect } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import type { Test } from 'tap'
import { makeCertificates, openssl } from '../faults/certificates.ts'
import { browserMissing } from './browser.ts'

/** Why no browser can go to sites by https and by name here; `false` where it can. */
export const namedSitesMissing =
  browserMissing || (openssl ? false : 'NOT TESTED: no openssl (Debian: openssl)')

/**
 * Sites by https and by name, on this machine: `https://a.test` is what listens at a port of 127.0.0.1.
 *
 * @returns the arguments with which Chromium finds them.
 */
export async function nameSites(t: Test, ports: Readonly<Record<string, number>>): Promise<string[]> {
  const sockets = new Set<TLSSocket>()
  const front = createServer(makeCertificates(t).selfSigned, (socket) => {
    sockets.add(socket)
    const site = connect(ports[String(socket.servername)] ?? 0, '127.0.0.1')
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
  const rules = Object.keys(ports).map((name) => `MAP ${name}:443 127.0.0.1:${port}`)
  return [`--host-resolver-rules=${rules.join()}`, '--ignore-certificate-errors']
}
