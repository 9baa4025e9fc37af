import { Type } from 'typebox'
import { CLOSED } from './schemas.ts'

const DEFAULT_LIMIT = 50

/** Which page of a list is asked for. */
export interface PageQuery {
  before?: string
  limit?: string
}

/**
 * The query of a list that comes in pages.
 *
 * @param what is listed, in the plural.
 * @param before the pattern of `next`. PostgreSQL has no text with a NUL, and refuses to be asked for one.
 */
export const pageQuery = (what: string, before = '^[^\\u0000]*$') =>
  Type.Object(
    {
      before: Type.Optional(
        Type.String({ maxLength: 64, pattern: before, description: '`next` of the previous page' }),
      ),
      limit: Type.Optional(
        Type.String({
          pattern: '^([1-9][0-9]?|100)$',
          description: `${what} per page, 1 to 100; ${DEFAULT_LIMIT} by default`,
        }),
      ),
    },
    CLOSED,
  )

export const NextPage = Type.Union([Type.String(), Type.Null()], {
  description: 'The `before` of the next page; null on the last page',
})

/**
 * Reads a page, and whether there is another one.
 *
 * @param find the rows from the asked-for place on, so many at most.
 * @param placeOf what `next` says of the last row of the page.
 */
export async function readPage<T>(
  { limit = String(DEFAULT_LIMIT) }: PageQuery,
  find: (rows: number) => Promise<T[]>,
  placeOf: (last: T) => string,
): Promise<{ page: T[]; next: string | null }> {
  const rows = await find(Number(limit) + 1)
  const page = rows.slice(0, Number(limit))
  const last = page.at(-1)
  return { page, next: rows.length > page.length && last ? placeOf(last) : null }
}
