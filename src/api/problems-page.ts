import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { oauthCodes, problemCodes, problemStatus } from '../errors.ts'
import { CLOSED } from '../http/schemas.ts'
import { language, texts } from '../texts/texts.ts'

const problems = [...problemCodes, ...oauthCodes].map((code) => ({
  code,
  status: problemStatus(code),
  title: texts.titles[code],
  meaning: texts.meanings[code],
}))

const { introduction, title } = texts.problemsPage

const STYLE = `body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 44rem; padding: 0 1rem }
h2 { font: 600 1.1rem ui-monospace, monospace; margin: 2rem 0 0 }
h2 small { font-weight: 400; opacity: 0.7 }
p { margin: 0.25rem 0 }
section:target { outline: 2px solid; outline-offset: 0.5rem }`

const inHtml = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/`([^`]+)`/g, '<code>$1</code>')

const PAGE = `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<p>${inHtml(introduction)}</p>
${problems
  .map(
    ({ code, status, title, meaning }) =>
      `<section id="${code}"><h2>${code} <small>${status}</small></h2><p>${inHtml(title)}.</p><p>${inHtml(meaning)}</p></section>`,
  )
  .join('\n')}
</html>
`

const CSP = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'`

/** Where the `type` of every problem leads (RFC 9457 section 3.1.1). */
export const problemsRoute: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/problems',
    {
      schema: {
        operationId: 'getProblems',
        tags: ['Service'],
        summary: 'Get what each problem code means, as JSON or as a page',
        description: 'The `type` of each problem links to this page.',
        response: { 200: Problems },
      },
    },
    async (request, reply) => {
      // CORS has said Origin there.
      const vary = [reply.getHeader('vary') ?? [], 'Accept'].flat().join(', ')
      reply.headers({ 'cache-control': 'public, max-age=3600', vary })
      if (request.accepts().type(['json', 'html']) !== 'html') return { problems }
      reply.header('content-security-policy', CSP).type('text/html; charset=utf-8').serializer(String)
      return PAGE as never
    },
  )
}

const Problems = Type.Object(
  {
    problems: Type.Array(
      Type.Object(
        { code: Type.String(), status: Type.Integer(), title: Type.String(), meaning: Type.String() },
        CLOSED,
      ),
    ),
  },
  { ...CLOSED, description: 'Every problem code' },
)
