/** Whether a text is a UUID as ids are written here (RFC 9562 section 4), in lower case. */
export const isUuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
