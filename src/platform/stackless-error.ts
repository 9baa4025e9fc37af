/**
 * An error that is an answer and not a fault. Its stack is never read, and recording it would cost more than the rest
 * of the answer: in a flood there are thousands a second.
 */
export abstract class StacklessError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, options)
    Error.stackTraceLimit = stackTraceLimit
  }
}
