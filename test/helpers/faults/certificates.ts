import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { Test } from 'tap'
import { which } from '../programs/which.ts'

/** A certificate and its key, in PEM. */
export interface Certificate {
  cert: string
  key: string
}

/** Certificates for a mail server on this machine, good ones and bad ones. */
export interface Certificates {
  /** Where the certificate of the authority is. */
  authorityFile: string
  /** For `localhost`, by an authority that can be trusted. */
  good: Certificate
  expired: Certificate
  wrongName: Certificate
  selfSigned: Certificate
}

export const openssl = which('openssl')

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Makes an authority and what it signs, by the program openssl. */
export function makeCertificates(t: Test): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-certificates-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = (name: string) => join(folder, name)
  const run = (...args: string[]) => execFileSync(openssl ?? '', args, { stdio: 'pipe' })
  const read = (name: string): Certificate => ({
    cert: readFileSync(file(`${name}.pem`), 'utf8'),
    key: readFileSync(file(`${name}.key`), 'utf8'),
  })

  function selfSigned(name: string, subject: string, ...more: string[]): Certificate {
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
    run('req', '-x509', ...NEW_KEY, ...out, '-days', '2', '-subj', subject, ...more)
    return read(name)
  }

  function signed(name: string, host: string, days: number): Certificate {
    const [request, extensions] = [file(`${name}.csr`), file(`${name}.ext`)]
    run('req', ...NEW_KEY, '-keyout', file(`${name}.key`), '-out', request, '-subj', `/CN=${host}`)
    writeFileSync(extensions, `subjectAltName=DNS:${host}\n`)
    const authority = ['-CA', file('authority.pem'), '-CAkey', file('authority.key'), '-CAcreateserial']
    const out = ['-out', file(`${name}.pem`), '-days', String(days), '-extfile', extensions]
    run('x509', '-req', '-in', request, ...authority, ...out)
    return read(name)
  }

  selfSigned('authority', '/CN=Authority of the tests')
  return {
    authorityFile: file('authority.pem'),
    good: signed('good', 'localhost', 2),
    expired: signed('expired', 'localhost', -1),
    wrongName: signed('wrong-name', 'mail.example.org', 2),
    selfSigned: selfSigned('self-signed', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'),
  }
}

/** Trusts an authority beside those of the system, in this process, until the test ends. */
export function trust(t: Test, authorityFile: string): void {
  const before = getCACertificates('default')
  t.teardown(() => setDefaultCACertificates(before))
  setDefaultCACertificates([...before, readFileSync(authorityFile, 'utf8')])
}
