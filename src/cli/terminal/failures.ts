/** A command failed. The message is a sentence for the operator. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** A command was used wrongly. The message says what to type instead. */
export class Misused extends Error {
  override readonly name = 'Misused'
}
