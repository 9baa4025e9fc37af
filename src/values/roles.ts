/** Names that services compare. They are kept as one text with blanks between them, so none has a blank. */
const ROLE = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/
const ROLES_MAX = 20

export const RULE_OF_ROLES = `${ROLES_MAX} roles at most, each of 1 to 64 of A-Z a-z 0-9 . _ : / - and beginning with a letter or digit`

/** @returns each of these once, in order; `null` where one is no role or there are too many. */
export function sortedRoles(names: readonly string[]): string[] | null {
  const roles = [...new Set(names)].sort()
  return roles.length <= ROLES_MAX && roles.every((name) => ROLE.test(name)) ? roles : null
}

/** The roles of a text: of the column, or of a file. */
export function rolesIn(text: string): string[] {
  return text.split(' ').filter((name) => name !== '')
}
