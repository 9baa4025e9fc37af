/**
 * A narrow reading of RFC 5321 section 4.1.2: an unquoted local part and a domain name, ASCII alone. Quotes,
 * comments, groups and lists are how one field delivers to somebody else.
 */
export const EMAIL_PATTERN =
  "^(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$"
export const EMAIL_MAX = 254
