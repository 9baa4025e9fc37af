/**
 * An error that is an answer and no fault. Nobody asks where it was made, and to find that out costs more than the rest
 * of the answer: under a flood there are thousands a second.
 */
export abstract class StacklessError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, options)
    Error.stackTraceLimit = stackTraceLimit
  }
}
