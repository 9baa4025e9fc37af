import t from 'tap'
import { example } from '../helpers/documents/examples.ts'
import { openShell } from '../helpers/documents/readme.ts'
import { totp } from '../helpers/people/totp.ts'
import { which } from '../helpers/programs/which.ts'
import { startListening } from '../helpers/service/listening.ts'

const missing = !which('http') && 'HTTPie is missing, so its session is not run: apt-get install httpie'

t.test('the HTTPie session leads from an account to its end', { skip: missing }, async (t) => {
  const { issuer, clock } = await startListening(t)
  const shell = openShell(t, { HTTPIE_CONFIG_DIR: t.testdir() })
  const [head = '', ...parts] = example('httpie.sh', issuer).split(/^(?=### )/m)
  t.equal(await shell.paste(`set -e -o pipefail\n${head}`), '')

  const printed: string[] = []
  let secret = ''
  for (const part of parts) {
    const asks = part.includes('read -r')
    if (asks) clock.advance(30)
    // A terminal without bracketed paste hands the lines that are pasted after a question to it.
    const text = await shell.paste(`${part.trimEnd()}\n`, asks ? totp(secret, clock.now()) : undefined)
    secret = /^Secret: (\S+)/m.exec(text)?.[1] ?? secret
    printed.push(text)
  }

  const [, , , confirmed, looked, refreshed, introspected, , , signedInAgain] = printed
  t.match(confirmed, /"recovery_codes"/)
  t.match(looked, /"two_factor_enabled": ?true.*"remaining": ?10.*"current": ?true.*"events"/s)
  t.match(refreshed, /"refresh_token"/)
  t.match(introspected, /"active": ?true/)
  t.match(signedInAgain, /"recovery_codes"/)
  t.equal(await shell.paste('echo still here\n'), 'still here\n', 'no command has failed')
})
