/**
 * What the page of Swagger UI does beyond the library: the tokens of an answer are filled in and kept for the tab, as is
 * a username that is still free; a QR code is shown as a picture, the examples of errors are folded, and the page is dark
 * where the reader's system is. Swagger UI's plugin interface: https://swagger.io/docs/open-source-tools/swagger-ui/customization/plugin-api/
 *
 * The functions here run in the browser. They are sent there as text, so each uses nothing from outside of itself.
 */

type Props = Record<string, unknown>
type Component = string | ((props: Props) => unknown)
interface Api {
  createElement(type: Component, props: Props | null, ...children: unknown[]): unknown
  useState<T>(first: T): [T, (next: T) => void]
}
interface System {
  React: Api
  preauthorizeApiKey(scheme: string, token: string): void
  authSelectors: { authorized(): { toJS(): Record<string, { value?: string }> } }
}
interface Page {
  sessionStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void }
  matchMedia(query: string): {
    matches: boolean
    addEventListener(event: 'change', listener: () => void): void
  }
  document: { documentElement: { classList: { toggle(name: string, on: boolean): void } } }
}
interface ErrorProps {
  getComponent(name: string, container: true): Component
  response: { get(name: 'description'): string }
}
type Action = (...values: never[]) => unknown

/** Where answers bring tokens, and to which scheme of the "Authorize" dialog each belongs. */
export function carryTokens(system: System): object {
  const page = globalThis as unknown as Page
  const KEY = 'keyturn-tokens'
  const kept = (): Record<string, string> => JSON.parse(page.sessionStorage.getItem(KEY) ?? '{}')
  let { refreshToken } = kept()
  const { username = `ada-${crypto.getRandomValues(new Uint16Array(1))}` } = kept()
  const keep = () => {
    const authorized = Object.entries(system.authSelectors.authorized().toJS())
    const tokens = authorized.flatMap(([scheme, { value }]) =>
      typeof value === 'string' ? [[scheme, value]] : [],
    )
    page.sessionStorage.setItem(
      KEY,
      JSON.stringify({ ...Object.fromEntries(tokens), refreshToken, username }),
    )
  }
  const then =
    (after: (...values: never[]) => void) =>
    (original: Action): Action =>
    (...values) => {
      const result = original(...values)
      after(...values)
      return result
    }
  const read = (path: string, _method: string, { ok, text }: { ok?: boolean; text?: string }) => {
    if (!ok || !text?.startsWith('{')) return
    const answer: Record<string, string | undefined> = JSON.parse(text)
    const tokens = {
      mfaToken: answer.mfa_token,
      [path === '/token' && !answer.refresh_token ? 'serviceToken' : 'accessToken']: answer.access_token,
      accountToken: answer.account_token,
    }
    for (const [scheme, token] of Object.entries(tokens)) if (token) system.preauthorizeApiKey(scheme, token)
    refreshToken = answer.refresh_token ?? refreshToken
    keep()
  }
  const forget = (schemes: string[]) => {
    if (schemes.includes('accessToken')) refreshToken = undefined
    keep()
  }
  const restore = () => {
    for (const [scheme, token] of Object.entries(kept())) system.preauthorizeApiKey(scheme, token)
  }
  // After the quick start the name of the examples, ada, is taken.
  const rename = (original: Action) => (document: object) =>
    original(
      JSON.parse(
        JSON.stringify(document).replaceAll('"username":"ada"', `"username":"${username}"`),
      ) as never,
    )
  const fillIn = (body: unknown) =>
    String(body).replace(/("refresh_token": ")[^"]*/, (example, name) =>
      refreshToken ? name + refreshToken : example,
    )
  return {
    wrapComponents: {
      RequestBodyEditor: (Original: Component) => (props: Props) =>
        system.React.createElement(Original, { ...props, defaultValue: fillIn(props.defaultValue) }),
    },
    statePlugins: {
      spec: {
        wrapActions: {
          setResponse: then(read as never),
          updateJsonSpec: (original: Action) => then(restore)(rename(original)),
        },
      },
      auth: {
        wrapActions: {
          authorizeWithPersistOption: then(keep),
          logoutWithPersistOption: then(forget as never),
        },
      },
    },
  }
}

/** A picture above the JSON that has it, and of each error only what it means until its example is asked for. */
export function showAnswers({ React }: System): object {
  return {
    wrapComponents: {
      responseBody: (Original: Component) => (props: Props) => {
        const image = /"qr_png":\s*"(data:image\/png;base64,[\w+/=]+)"/.exec(String(props.content))?.[1]
        const body = React.createElement(Original, props)
        if (!image) return body
        const picture = { src: image, alt: 'QR code for an authenticator app', className: 'keyturn-qr' }
        return React.createElement('div', null, React.createElement('img', picture), body)
      },
      response: (Original: Component) => (props: Props) => {
        const [open, setOpen] = React.useState(false)
        if (open || Number(props.code) < 400) return React.createElement(Original, props)
        const { getComponent, response } = props as unknown as ErrorProps
        const meaning = React.createElement(getComponent('Markdown', true), {
          source: response.get('description'),
        })
        const button = { type: 'button', className: 'btn btn-sm', onClick: () => setOpen(true) }
        const folded = { className: 'keyturn-folded' }
        return React.createElement(
          'tr',
          { className: 'response', 'data-code': props.code },
          React.createElement('td', { className: 'response-col_status' }, props.code),
          React.createElement(
            'td',
            { className: 'response-col_description' },
            React.createElement('div', folded, meaning, React.createElement('button', button, 'Example')),
          ),
        )
      },
    },
  }
}

/** The library has a dark form, but switches to it only by a button in the bar that this page does without. */
export function followColourScheme(): object {
  const page = globalThis as unknown as Page
  const dark = page.matchMedia('(prefers-color-scheme: dark)')
  const follow = () => page.document.documentElement.classList.toggle('dark-mode', dark.matches)
  dark.addEventListener('change', follow)
  follow()
  return {}
}

/**
 * The picture keeps its white margin on a dark page; what the library leaves dark there has the colour of the words next
 * to it. No answer has links, and the URL below the title is not the one that the document is known by.
 */
export const PAGE_STYLE = `
.keyturn-qr { display: block; margin: 8px 0; max-width: 100%; }
.keyturn-folded { align-items: start; display: flex; flex-wrap: wrap; gap: 8px; }
.keyturn-folded > :first-child { flex: 1 1 12rem; }
.swagger-ui .keyturn-folded .btn { border-color: currentcolor; color: inherit; }
.swagger-ui .response-controls { flex-wrap: wrap; }
.swagger-ui .response-col_links, .swagger-ui .info .main > a { display: none; }
.dark-mode .swagger-ui :is(.examples-select__section-label, .opblock-description-wrapper) { color: inherit; }
`
