/**
 * A strict reading of RFC 5321 section 4.1.2: an unquoted local part and a domain name, in ASCII. With quotes,
 * comments, groups and lists, one field could deliver to another mailbox.
 */
export const EMAIL_PATTERN =
  "^(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$"
export const EMAIL_MAX = 254
