/** A request of a `.http` file, as REST Client for VS Code reads it. */
export interface HttpFileRequest {
  title: string
  /** What its answer is called by later requests. */
  name: string | undefined
  /** What the person is asked for before it is sent. */
  prompt: string | undefined
  text: string
}

export interface HttpFile {
  variables: Record<string, string>
  requests: HttpFileRequest[]
}

export function parseHttpFile(file: string): HttpFile {
  const [head = '', ...parts] = file.split(/^### /m)
  return {
    variables: Object.fromEntries(
      [...head.matchAll(/^@(\w+) = (.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    ),
    requests: parts.map((part) => {
      const [title = '', ...lines] = part.trim().split('\n')
      const directive = (word: string) => new RegExp(`^# @${word} (\\w+)`, 'm').exec(part)?.[1]
      const text = lines.filter((line) => !line.startsWith('#')).join('\n')
      return { title, name: directive('name'), prompt: directive('prompt'), text }
    }),
  }
}

/** Sends a request: its line, its headers, a blank line, its body, with the values of variables and earlier answers. */
export async function sendHttpFileRequest(
  { text }: HttpFileRequest,
  variables: Record<string, string>,
  answers: Record<string, unknown>,
): Promise<Response> {
  const filled = text.replace(/\{\{(.+?)\}\}/g, (_, expression) => lookUp(expression, variables, answers))
  const [head = '', body] = filled.split('\n\n')
  const [line = '', ...headerLines] = head.split('\n')
  const [method = '', url = ''] = line.split(' ')
  const headers = headerLines.map((header) => header.split(/: (.*)/).slice(0, 2) as [string, string])
  return fetch(url, { method, headers, ...(body && { body }) })
}

/** `name`, or `request.response.body.$.a.b[0].c`. */
function lookUp(
  expression: string,
  variables: Record<string, string>,
  answers: Record<string, unknown>,
): string {
  const [, name = '', path = ''] = /^(\w+)\.response\.body\.\$\.(.+)$/.exec(expression) ?? []
  const value = name
    ? path
        .split(/[.[\]]+/)
        .filter(Boolean)
        // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
        .reduce((inner: any, member) => inner?.[member], answers[name])
    : variables[expression]
  if (typeof value !== 'string') throw new Error(`{{${expression}}} has no value`)
  return value
}
