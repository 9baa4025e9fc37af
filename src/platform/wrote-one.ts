import { DeleteResult, InsertResult, type UpdateResult } from 'kysely'

/**
 * Runs an update, a deletion, or an insertion that does nothing where the row is there: of several at once, only one finds the
 * row, or makes it.
 *
 * @returns whether it wrote exactly one row.
 */
export async function wroteOne(write: {
  executeTakeFirstOrThrow(): Promise<UpdateResult | DeleteResult | InsertResult>
}): Promise<boolean> {
  const result = await write.executeTakeFirstOrThrow()
  if (result instanceof InsertResult) return result.numInsertedOrUpdatedRows === 1n
  return (result instanceof DeleteResult ? result.numDeletedRows : result.numUpdatedRows) === 1n
}
