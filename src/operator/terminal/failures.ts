/** A command could not be done; the message is a sentence for the operator. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** A command was typed that cannot be meant; the message says what to type instead. */
export class Misused extends Error {
  override readonly name = 'Misused'
}
