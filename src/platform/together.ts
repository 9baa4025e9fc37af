/**
 * Waits for several things that were asked together. In a transaction, and in `readTogether`, those that begin with a
 * prepared query share a round trip to a server, in this order.
 *
 * @returns what they return, when all of them have ended: none asks anything of a transaction that has ended.
 * @throws the first error, in the order of the arguments.
 */
export async function together<T extends readonly unknown[]>(
  ...asked: {
    [K in keyof T]: T[K] | Promise<T[K]>
  }
): Promise<T> {
  const results = await Promise.allSettled(asked)
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  }) as unknown as T
}
