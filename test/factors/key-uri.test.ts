import t from 'tap'
import { base32, keyUri } from '../../src/factors/totp/key-uri.ts'
import { decodeBase32 } from '../helpers/people/totp.ts'
import { enrol, PASSWORD, startService } from '../helpers/service/service.ts'

/** An authenticator app shows what it reads out of the key URI: what a person would read must come out of it. */

const secret = Buffer.from('12345678901234567890')

/** Reads it as the apps do: the label, then the parameters, the issuer parameter before the one in the label. */
function readKeyUri(text: string) {
  const uri = new URL(text)
  const label = decodeURIComponent(uri.pathname.slice(1))
  const colon = label.indexOf(':')
  return {
    protocol: uri.protocol,
    type: uri.host,
    account: label.slice(colon + 1),
    labelIssuer: colon < 0 ? null : label.slice(0, colon),
    issuer: uri.searchParams.get('issuer'),
    secret: decodeBase32(uri.searchParams.get('secret') ?? ''),
    others: ['algorithm', 'digits', 'period'].map((name) => uri.searchParams.get(name)),
  }
}

t.test('issuer, account and secret come out as they went in', async (t) => {
  const issuers = [
    'Keyturn',
    'Émile & Co',
    'Müller Söhne',
    '100% safe',
    'a+b',
    'a?b#c/d',
    'a=b&c',
    '鍵',
    '%20',
    ' x ',
  ]
  for (const issuer of issuers)
    for (const account of ['ada', 'ada+test@example.com', 'a.b_c-d']) {
      const uri = keyUri({ secret, issuer, account })
      t.match(uri, /^[\x21-\x7e]+$/, 'printable ASCII, no blanks')
      t.ok(uri.includes(`:${encodeURIComponent(account)}?`), 'percent-encoded')
      t.strictSame(readKeyUri(uri), {
        protocol: 'otpauth:',
        type: 'totp',
        account,
        labelIssuer: issuer,
        issuer,
        secret,
        others: ['SHA1', '6', '30'],
      })
    }
})

t.test('an issuer goes without its colon: a label is never that of another site', async (t) => {
  const read = readKeyUri(keyUri({ secret, issuer: 'Acme: Accounts', account: 'ada' }))
  t.match(read, { account: 'ada', issuer: 'Acme Accounts', labelIssuer: 'Acme Accounts' })
})

t.test('blanks are %20: some apps show a plus sign as it is', async (t) => {
  const uri = keyUri({ secret, issuer: 'Two Words', account: 'ada' })
  t.match(uri, 'otpauth://totp/Two%20Words:ada?')
  t.match(uri, 'issuer=Two%20Words')
  t.notMatch(uri, /\+/)
})

t.test('the secret is base32 without padding, of any length', async (t) => {
  for (let length = 0; length <= 20; length++) {
    const bytes = secret.subarray(0, length)
    t.match(base32(bytes), /^[A-Z2-7]*$/)
    t.strictSame(decodeBase32(base32(bytes)), bytes)
  }
})

t.test('the service puts its APP_NAME and the username in', async (t) => {
  const service = await startService(t, { environment: { APP_NAME: 'Café: 100% Größe' } })
  const { body } = await service.post('/register', { username: 'ada+1@example.com', password: PASSWORD })
  const setup = await service.post('/2fa/setup', undefined, body.mfa_token)
  t.match(readKeyUri(setup.body.otpauth_uri), { issuer: 'Café 100% Größe', account: 'ada+1@example.com' })
  t.equal(base32(readKeyUri(setup.body.otpauth_uri).secret), setup.body.secret)
  t.equal((await enrol(service, 'grace')).secret.length, 32, '160 bits')
})
