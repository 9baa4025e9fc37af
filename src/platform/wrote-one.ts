import { DeleteResult, type UpdateResult } from 'kysely'

/**
 * Runs an update or a deletion whose condition decides: of several at once, only one finds the row.
 *
 * @returns whether it wrote exactly one row.
 */
export async function wroteOne(write: {
  executeTakeFirstOrThrow(): Promise<UpdateResult | DeleteResult>
}): Promise<boolean> {
  const result = await write.executeTakeFirstOrThrow()
  return (result instanceof DeleteResult ? result.numDeletedRows : result.numUpdatedRows) === 1n
}
