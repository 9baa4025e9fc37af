// The attack: a header that two programs read differently, of which one checks and the other trusts; or that
// makes the service stumble instead of refuse.
import t from 'tap'
import { openMint, present, refused, TOKEN_ROUTES } from '../helpers/people/forge.ts'
import { exchange, listen } from '../helpers/requests/raw-socket.ts'

t.test('the scheme is Bearer in any case (RFC 9110 section 11.1)', async (t) => {
  const { service, ada } = await openMint(t)
  for (const scheme of ['Bearer', 'bearer', 'BEARER'])
    t.equal((await present(service, '/me', `${scheme} ${ada.accessToken}`)).status, 200, scheme)
})

t.test('blanks after the scheme are as many as the client likes (RFC 6750 section 2.1)', async (t) => {
  const { service, ada } = await openMint(t)
  t.equal((await present(service, '/me', `Bearer   ${ada.accessToken}`)).status, 200)
})

t.test('no header and another scheme are told that a bearer token is needed', async (t) => {
  const { service, ada } = await openMint(t)
  const headers = ['', 'Bearer', 'Bearer ', 'Basic YWRhOng=', `Basic ${ada.accessToken}`, 'Negotiate x']
  const others = [
    `Token ${ada.accessToken}`,
    `DPoP ${ada.accessToken}`,
    ada.accessToken,
    `Bearer: ${ada.accessToken}`,
  ]
  for (const authorization of [...headers, ...others])
    for (const route of TOKEN_ROUTES) {
      const answer = await present(service, route, authorization)
      t.equal(answer.status, 401, `${route} ${authorization.slice(0, 20)}`)
      t.match(answer.headers['www-authenticate'], /^Bearer\b/)
      t.equal(answer.body.code, 'invalid_token')
    }
})

t.test('a token with something before, in or after it', async (t) => {
  const { service, ada, mfaToken } = await openMint(t)
  for (const token of [ada.accessToken, ada.accountToken, mfaToken]) {
    const [header, payload, signature] = token.split('.') as [string, string, string]
    const flattened = JSON.stringify({ protected: header, payload, signature })
    const spellings = {
      'a tab before': `\t${token}`,
      'the token twice': `${token} ${token}`,
      'two with a comma': `${token},${token}`,
      'two with a comma and a scheme': `${token}, Bearer ${token}`,
      'a blank within': `${header} .${payload}.${signature}`,
      'a blank after a dot': `${header}. ${payload}.${signature}`,
      'a tab within': `${header}\t.${payload}.${signature}`,
      'quotes around': `"${token}"`,
      padding: `${token}==`,
      'one part': header,
      'two parts': `${header}.${payload}`,
      'four parts': `${token}.${signature}`,
      'five parts': `${token}.${signature}.${signature}`,
      'an empty part': `${header}..${signature}`,
      'a dot before': `.${token}`,
      'a dot after': `${token}.`,
      'dots alone': '..',
      'the JSON serialization': flattened,
      'base64 of it': Buffer.from(token).toString('base64url'),
      nothing: 'undefined',
      'a character that is not base64url': `${header}.${payload}.*${signature.slice(1)}`,
      'ten thousand dots': '.'.repeat(10_000),
    }
    for (const [name, spelling] of Object.entries(spellings)) await refused(t, service, name, spelling)
  }
})

t.test('a token counts in its header alone', async (t) => {
  const { service, ada } = await openMint(t)
  const token = ada.accessToken
  const elsewhere = [
    await service.get(`/me?access_token=${token}`),
    await service.get('/me', undefined, { headers: { cookie: `access_token=${token}; token=${token}` } }),
    await service.get('/me', undefined, { headers: { 'proxy-authorization': `Bearer ${token}` } }),
    await service.get('/me', undefined, { headers: { 'x-forwarded-authorization': `Bearer ${token}` } }),
  ]
  for (const answer of elsewhere) t.equal(answer.status, 401)
})

t.test('a good Authorization header does not make up for a bad one beside it', async (t) => {
  const { service, ada } = await openMint(t)
  const { port } = await listen(service)
  const status = async (...tokens: string[]) => {
    const fields = tokens.map((token) => `Authorization: Bearer ${token}\r\n`).join('')
    const request = `GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields}\r\n`
    return (await exchange(port, request)).status
  }
  t.equal(await status(ada.accessToken), 200)
  t.equal(await status('x.y.z', ada.accessToken), 401)
  t.equal(await status(ada.accessToken, 'x.y.z'), 401)
})
