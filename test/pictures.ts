/**
 * Takes the pictures in docs/pictures/ that show a service at work: `terminal.svg`, and `swagger-ui.png` in both colour
 * schemes. The service listens on port 3000, which has to be free. The drawings there are made by hand.
 */
import { writeFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import type { Test } from 'tap'
import { codeNamed, openShell } from './helpers/documents/readme.ts'
import { totp } from './helpers/people/totp.ts'
import { launchBrowser } from './helpers/programs/browser.ts'
import { openSwaggerUi } from './helpers/programs/swagger-ui.ts'
import { startService } from './helpers/service/service.ts'

const save = (name: string, picture: string | Buffer) =>
  writeFileSync(new URL(`../docs/pictures/${name}`, import.meta.url), picture)

const ends: (() => unknown)[] = []
const t = { teardown: (end: () => unknown) => void ends.unshift(end) } as Test
try {
  const { app, clock } = await startService(t)
  const url = await app.listen({ host: '127.0.0.1', port: 3000 })
  save('terminal.svg', await terminal(clock.now()))
  const browser = await launchBrowser(t)
  save('swagger-ui.png', await swaggerUi(browser, `${url}/docs`, 'light'))
  save('swagger-ui-dark.png', await swaggerUi(browser, `${url}/docs`, 'dark'))
} finally {
  for (const end of ends) await end()
}

/** The flow of the README, typed into a terminal that is 84 columns wide. */
async function terminal(now: number): Promise<string> {
  const [columns, cell, line, margin] = [84, 8, 16, 20]
  const shell = openShell(t)
  let [y, texts, paper, ink] = [margin, '', '', '']

  const write = (style: string, text: string) => {
    const escaped = text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replace(/^[$>](?=$| )/, (prompt) => `<tspan class="prompt">${prompt}</tspan>`)
    if (text)
      texts += `<text class="${style}" x="${margin}" y="${y + 12}" textLength="${text.length * cell}">${escaped}</text>\n`
    y += line
  }
  const bar = (x: number, top: number, width: number, height: number) =>
    `M${margin + x * cell} ${top}h${width * cell}v${height}h-${width * cell}z`
  const draw = (blocks: string) => {
    paper += bar(0, y, blocks.length, line)
    for (const { index, 0: run } of blocks.matchAll(/[█▀]+/g)) ink += bar(index, y, run.length, line / 2)
    for (const { index, 0: run } of blocks.matchAll(/[█▄]+/g))
      ink += bar(index, y + line / 2, run.length, line / 2)
    y += line
  }
  const type = async (...command: string[]): Promise<string> => {
    y += line / 2
    for (const [index, part] of command.entries()) write('command', `${index === 0 ? '$' : '>'} ${part}`)
    const output = await shell.paste(`${command.join('\n')}\n`)
    for (const shown of output === '' ? [] : output.trimEnd().split('\n')) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
      const [, blocks] = /^\x1b\[38;5;16;48;5;231m(.*)\x1b\[0m$/.exec(shown) ?? []
      if (blocks !== undefined) draw(blocks)
      else for (const row of shown.match(new RegExp(`.{1,${columns}}|^$`, 'g')) ?? []) write('output', row)
    }
    return output
  }

  await shell.paste(codeNamed('curl-register', ['run']).replaceAll(/^(?!field).*\n/gm, ''))
  await type('BASE=http://127.0.0.1:3000')
  await type(
    "MFA_TOKEN=$(curl -sS $BASE/register -H 'Content-Type: application/json' \\",
    `-d '{"username": "ada", "password": "correct horse battery"}' | field mfa_token)`,
  )
  const answer = await type(
    'curl -sS -X POST $BASE/2fa/setup -H "Authorization: Bearer $MFA_TOKEN" \\',
    "-H 'Accept: text/plain'",
  )
  const [, secret = ''] = /^Secret: (.*)$/m.exec(answer) ?? []
  await type(
    'ACCESS_TOKEN=$(curl -sS $BASE/2fa/verify -H "Authorization: Bearer $MFA_TOKEN" \\',
    `-H 'Content-Type: application/json' -d '{"code": "${totp(secret, now)}"}' | field access_token)`,
  )
  await type('curl -sS $BASE/me -H "Authorization: Bearer $ACCESS_TOKEN"')
  write('command', '$')

  const [width, height] = [columns * cell + 2 * margin, y + margin]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">A terminal: curl registers ada, shows a QR code to scan, sends the code of the app, and reads the account</title>
<style>
text{font:13.3px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}
.ground{fill:#f6f8fa;stroke:#d1d9e0}.command{fill:#1f2328}.output{fill:#59636e}.prompt{fill:#1a7f37}
@media(prefers-color-scheme:dark){.ground{fill:#151b23;stroke:#3d444d}.command{fill:#f0f6fc}.output{fill:#9198a1}.prompt{fill:#3fb950}}
</style>
<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
<path fill="#fff" d="${paper}"/>
<path shape-rendering="crispEdges" d="${ink}"/>
${texts}</svg>
`
}

/** The beginning of the page with its tags, and to its right an operation, from its name to the QR code of its answer. */
async function swaggerUi(browser: Browser, url: string, colorScheme: 'light' | 'dark'): Promise<Buffer> {
  const [left, right] = [540, 460]
  const ui = await openSwaggerUi(t, browser, url)
  const { page } = ui
  await page.emulateMedia({ colorScheme })
  await page.setViewportSize({ width: right, height: 1000 })
  await ui.executeJson('register')
  await ui.execute('setUpTotp')
  // The body of the request is empty: its field need not be high.
  await page.evaluate("document.querySelector('[id$=setUpTotp] textarea').style.minHeight = '48px'")
  const edge = (selector: string, side: 'top' | 'bottom') =>
    page.evaluate<number>(`scrollY + document.querySelector('${selector}').getBoundingClientRect().${side}`)
  const y = (await edge('[id$=setUpTotp]', 'top')) - 8
  const height = Math.ceil((await edge('[id$=setUpTotp] .keyturn-qr', 'bottom')) + 8 - y)
  const answer = await page.screenshot({ fullPage: true, clip: { x: 0, y, width: right, height } })

  await page.setViewportSize({ width: left, height })
  for (const tag of await page.locator('.opblock-tag').all()) await tag.click()
  await page.mouse.move(0, 0)
  await page.evaluate('scrollTo(0, 0)')
  const beginning = await page.screenshot()

  const frame = colorScheme === 'light' ? '#d1d9e0' : '#3d444d'
  const shots = [beginning, answer].map(
    (shot) => `<img src="data:image/png;base64,${shot.toString('base64')}">`,
  )
  await page.goto('about:blank')
  await page.setViewportSize({ width: left + right + 3, height: height + 2 })
  await page.setContent(
    `<body style="margin:0;padding:1px;display:flex;gap:1px;background:${frame}">${shots.join('')}`,
  )
  return page.screenshot()
}
