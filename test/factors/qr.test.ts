import t from 'tap'
import { qrPng, qrSvg, qrTerminal } from '../../src/factors/totp/qr.ts'
import { readPng, readSvg, readTerminal } from '../helpers/programs/qr-reader.ts'
import { PASSWORD, startService } from '../helpers/service/service.ts'

/** Each picture is read by a decoder that is not the encoder, and says the key URI, to the character. */

const URIS = [
  'otpauth://totp/Keyturn:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Keyturn&algorithm=SHA1&digits=6&period=30',
  `otpauth://totp/${'%E9%8D%B5'.repeat(64)}:${'x'.repeat(64)}?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=${'%E9%8D%B5'.repeat(64)}`,
]

for (const uri of URIS)
  t.test(`${uri.length} characters can be read`, async (t) => {
    t.equal(readPng(await qrPng(uri)), uri, 'from the PNG')
    t.equal(readSvg(await qrSvg(uri)), uri, 'from the SVG')
    for (const ground of ['dark', 'light'] as const)
      t.equal(readTerminal(await qrTerminal(uri), ground), uri, `from a ${ground} terminal`)
  })

t.test('the picture for a terminal fits one of 80 columns and 24 lines or a little more', async (t) => {
  const lines = (await qrTerminal(URIS[0] as string)).trimEnd().split('\n')
  t.ok(lines.length <= 30, `${lines.length} lines`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  const columns = lines.map((line) => [...line.replace(/\x1b\[[\d;]*m/g, '')].length)
  t.equal(new Set(columns).size, 1, 'every line is as long as the others')
  t.ok((columns[0] ?? 0) <= 80, `${columns[0]} columns`)
  for (const line of lines) t.ok(line.endsWith('\x1b[0m'), 'the colours end with the line')
})

t.test('the longest names make a picture of version 14 at most, and of 80 columns', async (t) => {
  const username = `${'a'.repeat(52)}@example.com`
  for (const APP_NAME of ['鍵'.repeat(13), 'a'.repeat(64), 'é'.repeat(20), 'a']) {
    const service = await startService(t, { environment: { APP_NAME } })
    const { body } = await service.post('/register', { username, password: PASSWORD })
    const setUp = (accept: string) =>
      service.post('/2fa/setup', undefined, body.mfa_token, { headers: { accept } })
    const [, side] = /viewBox="0 0 (\d+) /.exec((await setUp('image/svg+xml')).text) ?? []
    t.ok(Number(side) <= 17 + 4 * 14 + 8, `${side} modules with the quiet zone for ${APP_NAME}`)
    const [line = ''] = (await setUp('text/plain')).text.split('\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    t.ok([...line.replace(/\x1b\[[\d;]*m/g, '')].length <= 80, APP_NAME)
  }
})

t.test('the service answers with pictures that say its key URI', async (t) => {
  const service = await startService(t, { environment: { APP_NAME: 'Größe: 100 %' } })
  const { body } = await service.post('/register', { username: 'ada', password: PASSWORD })
  const headers = { authorization: `Bearer ${body.mfa_token}` }
  const setUp = (accept: string) =>
    service.app.inject({ method: 'POST', url: '/2fa/setup', headers: { ...headers, accept } })

  const json = (await setUp('application/json')).json()
  const [prefix, base64 = ''] = json.qr_png.split(',')
  t.equal(prefix, 'data:image/png;base64')
  t.equal(readPng(Buffer.from(base64, 'base64')), json.otpauth_uri)

  const sameAccount =
    /^otpauth:\/\/totp\/Gr%C3%B6%C3%9Fe%20100%20%25:ada\?secret=[A-Z2-7]{32}&issuer=Gr%C3%B6%C3%9Fe%20100%20%25&/
  t.match(readPng((await setUp('image/png')).rawPayload), sameAccount)
  t.match(readSvg((await setUp('image/svg+xml')).body), sameAccount)
  const text = (await setUp('text/plain')).body
  const inPicture = readTerminal(text, 'dark')
  t.match(inPicture, sameAccount)
  t.match(text, `\n${inPicture}\n`, 'the text beneath is the same')
})
