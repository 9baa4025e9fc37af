import t from 'tap'
import { isProblem } from '../helpers/requests/problems.ts'
import { register, startService } from '../helpers/service/service.ts'

/** RFC 9110 section 12.5.1: the client says what it can show, the service picks the best of what it can make. */

const service = await startService(t)
const { mfaToken } = await register(service)
const setUp = (accept?: string) =>
  service.post('/2fa/setup', undefined, mfaToken, accept === undefined ? {} : { headers: { accept } })

const JSON_TYPE = 'application/json; charset=utf-8'
const TEXT_TYPE = 'text/plain; charset=utf-8'

const ACCEPTED: [accept: string | undefined, type: string][] = [
  [undefined, JSON_TYPE],
  ['*/*', JSON_TYPE],
  ['application/json', JSON_TYPE],
  ['APPLICATION/JSON', JSON_TYPE],
  ['application/*', JSON_TYPE],
  ['image/png', 'image/png'],
  ['image/*', 'image/png'],
  ['image/svg+xml', 'image/svg+xml'],
  ['text/plain', TEXT_TYPE],
  ['text/*', TEXT_TYPE],
  ['text/html, text/plain;q=0.5', TEXT_TYPE],
  ['image/png;q=0.1, image/svg+xml;q=0.9', 'image/svg+xml'],
  ['image/png, image/svg+xml', 'image/png'],
  ['application/json;q=0, */*', 'image/png'],
  ['*/*;q=0.1, text/plain', TEXT_TYPE],
  ['application/json; charset=utf-8', JSON_TYPE],
  ['application/json;charset=UTF-8;odata=verbose;q=0.5, image/png;q=0.4', JSON_TYPE],
  ['application/json; profile="a;q=0, b"', JSON_TYPE],
  ['application/json; indent=4 ; q=0.1, image/png', 'image/png'],
  ['image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5', 'image/png'],
]

t.test('the enrolment comes in the form that the client prefers', async (t) => {
  for (const [accept, type] of ACCEPTED) {
    const { status, headers } = await setUp(accept)
    t.match({ status, type: headers['content-type'] }, { status: 200, type }, `Accept: ${accept}`)
    t.equal(headers['cache-control'], 'no-store')
  }
})

t.test('each form is what it says', async (t) => {
  const png = await service.app.inject({
    method: 'POST',
    url: '/2fa/setup',
    headers: { authorization: `Bearer ${mfaToken}`, accept: 'image/png' },
  })
  t.strictSame(png.rawPayload.subarray(0, 8), Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))
  t.match((await setUp('image/svg+xml')).text, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
  const { text } = await setUp('text/plain')
  t.match(text, /▀/)
  t.match(text, /\notpauth:\/\/totp\/Keyturn:ada\?secret=[A-Z2-7]{32}&/)
  const [, inUri] = /[?&]secret=([A-Z2-7]+)/.exec(text) ?? []
  const [, typed] = /\nSecret: ([A-Z2-7]+)\n/.exec(text) ?? []
  t.ok(inUri)
  t.equal(typed, inUri, 'the secret to type is the one in the picture')
})

t.test('a form that cannot be made is refused before anything is made', async (t) => {
  const { body } = await setUp()
  const pending = () => service.db.selectFrom('totp_factors').select('id').execute()
  const before = await pending()
  for (const accept of ['image/jpeg', 'text/html', 'application/xml', 'application/json;q=0', 'nonsense'])
    isProblem(t, await setUp(accept), 'not_acceptable', accept)
  t.strictSame(await pending(), before, `the secret ${body.secret.slice(0, 2)}… is still the pending one`)
})
